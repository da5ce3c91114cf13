// A dialog with what the camera sees and a shutter.
import { element, showError } from './page.js';

const dialog = element('camera-dialog', HTMLDialogElement);
const viewfinder = element('viewfinder', HTMLVideoElement);
const shutter = element('shutter', HTMLButtonElement);

/** `onPicture` gets each picture taken, `errorBox` why there is none. */
export function startCamera(onPicture: (picture: Blob) => void, errorBox: HTMLElement): void {
  element('camera').addEventListener('click', () => void open(errorBox));
  element('camera-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', stop);
  shutter.addEventListener('click', () => {
    const canvas = document.createElement('canvas');
    canvas.width = viewfinder.videoWidth;
    canvas.height = viewfinder.videoHeight;
    canvas.getContext('2d')?.drawImage(viewfinder, 0, 0);
    canvas.toBlob((picture) => picture && onPicture(picture), 'image/png');
    dialog.close();
  });
}

async function open(errorBox: HTMLElement): Promise<void> {
  try {
    if (!navigator.mediaDevices)
      throw new Error('Browsers give pages the camera only over HTTPS or from localhost.');
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    viewfinder.srcObject = stream;
    shutter.disabled = true;
    viewfinder.onloadeddata = () => {
      shutter.disabled = false;
      shutter.focus();
    };
    dialog.showModal();
  } catch (error) {
    showError(errorBox, 'No picture from the camera.', inWords(error));
  }
}

function stop(): void {
  const stream = viewfinder.srcObject as MediaStream | null;
  for (const track of stream?.getTracks() ?? []) track.stop();
  viewfinder.srcObject = null;
}

function inWords(error: unknown): unknown {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
      return 'This page may not use the camera; allow it in the browser’s settings for the page.';
    case 'NotFoundError':
      return 'This computer has no camera that the browser can use.';
    case 'NotReadableError':
      return 'Another program is using the camera.';
    default:
      return error;
  }
}
