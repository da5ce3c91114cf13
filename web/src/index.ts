export { Classifier } from './page/classifier.js';
export { Session } from './page/session.js';
export type { Load, Model, SessionOptions, SessionStatus } from './page/session.js';
export type {
  ClassifierInfo,
  ClassifyOptions,
  ConfigSource,
  JsonSource,
  LabelsSource,
  LoadOptions,
  ModelInput,
  ModelParts,
  ModelSource,
  PictureInput,
  RunOptions,
  WeightsSource,
} from './page/types.js';
export { VitrineError } from './shared/errors.js';
export type { VitrineStatus } from './shared/errors.js';
export type { Alpha, CacheMode, Classification, Label, Progress, Simd, Timing } from './shared/types.js';
