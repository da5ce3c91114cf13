// The page that `npm start` opens: one picture, one model, one answer.
import type { Classifier } from 'vitrine';
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

let classifier: Classifier | undefined;
let modelState: 'loading' | 'ready' | 'none' = 'loading';
let picture: Blob | undefined;
let running: AbortController | undefined;

/** Classifies the current picture with the current model, once both are there. */
async function classify(): Promise<void> {
  running?.abort();
  if (!picture) {
    showStatus('Your picture’s labels appear here.');
  } else if (!classifier) {
    showStatus(modelState === 'loading' ? 'Waiting for the model …' : 'Load a model first.');
  } else {
    const { signal } = (running = new AbortController());
    showStatus('Looking …');
    try {
      showResult(await classifier.classify(picture, { signal }));
    } catch (error) {
      if (!signal.aborted) showPictureError(error);
    }
  }
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
  void classify();
}

/** For visitors with no picture at hand: example.svg, drawn into a PNG as any other picture. */
async function showExample(): Promise<void> {
  const drawing = new Image();
  drawing.src = 'example.svg';
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
  if (isModel(files)) loadFiles(files);
  else if (files[0]) showPicture(files[0]);
});
startModelPanel((changed, state) => {
  running?.abort();
  classifier = changed;
  modelState = state;
  void classify();
});
