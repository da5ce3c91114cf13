export { Classifier } from './classifier.js';
export { VitrineError } from './errors.js';
export type { VitrineStatus } from './errors.js';
export type {
  CacheMode,
  Classification,
  ClassifierInfo,
  ClassifyOptions,
  ConfigSource,
  JsonSource,
  Label,
  LabelsSource,
  LoadOptions,
  ModelInput,
  ModelParts,
  ModelSource,
  PictureInput,
  Progress,
  RunOptions,
  Simd,
  Timing,
  WeightsSource,
} from './types.js';
