// The page that `npm start` opens: one picture, one model, one answer.
import { Classifier, Session, type SessionStatus } from 'vitrine';
import { startCamera } from './camera.js';
import { isModel, startDrop } from './drop.js';
import { loadFiles, startModelPanel } from './model.js';
import { element } from './page.js';
import { showPictureError, showResult, showStatus } from './result.js';

const stage = element('stage');
const preview = element('preview', HTMLImageElement);
const invitation = element('invitation');
const caption = element('caption');
const pictureFile = element('picture-file', HTMLInputElement);

const session = new Session<Classifier>((source, options) => Classifier.load(source, options));
let picture: Blob | undefined;

function showAnswer({ state, model, result, pictureError }: SessionStatus<Classifier>): void {
  if (result) showResult(result);
  else if (pictureError !== undefined) showPictureError(pictureError);
  else if (!picture) showStatus('Your picture’s labels appear here.');
  else if (model) showStatus('Looking …');
  else showStatus(state === 'loading' ? 'Waiting for the model …' : 'Load a model first.');
}

function showPicture(blob: Blob): void {
  picture = blob;
  URL.revokeObjectURL(preview.src);
  const name = blob instanceof File ? blob.name : 'From the camera';
  preview.src = URL.createObjectURL(blob);
  preview.alt = `Your picture: ${name}`;
  preview.hidden = false;
  invitation.hidden = true;
  caption.textContent = name;
  caption.hidden = false;
  void session.classify(blob);
}

/** Drawings that the bundled model knows, for visitors with no picture at hand: one after the other. */
const EXAMPLES = ['bus', 'balloon', 'sailboat', 'umbrella', 'clock'];
let examplesShown = 0;

/** The next drawing, made a PNG as any other picture. */
async function showExample(): Promise<void> {
  const drawing = new Image();
  drawing.src = `examples/${EXAMPLES[examplesShown++ % EXAMPLES.length]}.svg`;
  await drawing.decode();
  const canvas = new OffscreenCanvas(drawing.naturalWidth, drawing.naturalHeight);
  canvas.getContext('2d')?.drawImage(drawing, 0, 0);
  showPicture(new File([await canvas.convertToBlob()], 'A drawing'));
}

// The core reads some formats that browsers do not show.
preview.addEventListener('error', () => {
  preview.hidden = true;
  element('invitation-text').textContent = 'This browser cannot show the picture';
  invitation.hidden = false;
});

element('choose').addEventListener('click', () => pictureFile.click());
pictureFile.addEventListener('change', () => {
  const [file] = pictureFile.files ?? [];
  if (file) showPicture(file);
  pictureFile.value = ''; // the same file may be chosen again
});
element('example').addEventListener('click', () => void showExample());
startCamera(showPicture, element('picture-error'));
startDrop(stage, (files) => {
  if (isModel(files)) loadFiles(session, files);
  else if (files[0]) showPicture(files[0]);
});

// Progress comes often: the answer is drawn anew only when it changes.
let shown: unknown[] = [];
session.subscribe((status) => {
  const { model, result, pictureError } = status;
  const now = [model, result, pictureError, picture, status.state === 'loading'];
  if (now.every((value, i) => value === shown[i]) && shown.length > 0) return;
  shown = now;
  showAnswer(status);
});
startModelPanel(session);
