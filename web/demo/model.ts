// The model panel: where the model comes from, its progress, and what was loaded.
import { Classifier, type ClassifierInfo, type ModelSource, type Progress } from 'vitrine';
import { count, element, megabytes, showError, showFacts } from './page.js';

const BUNDLED = 'model/';

const form = element('model-form', HTMLFormElement);
const folderChoice = element('folder-choice');
const folderFiles = element('folder-files', HTMLInputElement);
const urlChoice = element('url-choice');
const urlInput = element('model-url', HTMLInputElement);
const loadingBox = element('loading');
const progressBar = element('progress', HTMLProgressElement);
const progressText = element('progress-text');
const errorBox = element('model-error');
const facts = element('model-facts');

let loading: AbortController | undefined;
let classifier: Classifier | undefined;
let onChange: (classifier: Classifier | undefined, state: 'loading' | 'ready' | 'none') => void;

/** Loads a model in place of the one there is; a load under way is abandoned. */
export async function loadModel(source: ModelSource): Promise<void> {
  loading?.abort();
  const { signal } = (loading = new AbortController());
  classifier?.dispose();
  classifier = undefined;
  errorBox.hidden = facts.hidden = true;
  loadingBox.hidden = false;
  showProgress(undefined);
  onChange(undefined, 'loading');
  try {
    const loaded = await Classifier.load(source, { signal, onProgress: showProgress });
    classifier = loaded;
    loadingBox.hidden = true;
    showModel(loaded.info);
    onChange(loaded, 'ready');
  } catch (error) {
    if (loading.signal !== signal) return; // another load has taken over
    loadingBox.hidden = true;
    onChange(undefined, 'none');
    if (!signal.aborted) showError(errorBox, 'The model could not be loaded.', error);
  }
}

/** A folder of the user's, from the picker or dropped on the page. */
export function loadFiles(files: File[]): void {
  select('folder');
  void loadModel(files);
}

/** Wires the panel up and loads the bundled model, or what ?model= names. */
export function startModelPanel(listener: typeof onChange): void {
  onChange = listener;
  form.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.name !== 'source') return;
    select(target.value);
    if (target.value === 'bundled') void loadModel(BUNDLED);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (urlInput.value) void loadModel(urlInput.value);
    else urlInput.focus();
  });
  element('choose-folder').addEventListener('click', () => folderFiles.click());
  folderFiles.addEventListener('change', () => {
    if (folderFiles.files?.length) loadFiles([...folderFiles.files]);
    folderFiles.value = ''; // the same folder may be chosen again
  });
  element('cancel').addEventListener('click', () => loading?.abort());

  const asked = new URL(location.href).searchParams.get('model');
  if (asked === null) {
    select('bundled');
    void loadModel(BUNDLED);
  } else {
    urlInput.value = asked;
    select('url');
    void loadModel(asked);
  }
}

function select(source: string): void {
  for (const radio of form.querySelectorAll<HTMLInputElement>('[name=source]')) {
    radio.checked = radio.value === source;
  }
  folderChoice.hidden = source !== 'folder';
  urlChoice.hidden = source !== 'url';
}

function showProgress(progress: Progress | undefined): void {
  if (!progress?.total) {
    progressBar.removeAttribute('value');
    progressText.textContent = 'Loading the model …';
    return;
  }
  const { loaded, total, cached } = progress;
  progressBar.value = loaded / total;
  progressText.textContent = `${megabytes(loaded)} of ${megabytes(total)}${cached ? ', from this browser’s cache' : ''}`;
}

function showModel(info: ClassifierInfo): void {
  const { architecture, parameters, num_classes: classes, simd, threads, threadsReason, memory } = info;
  showFacts(facts, [
    ['Name', `${architecture}, ${count(parameters)} parameters`],
    [
      'Knows',
      classes === 0
        ? 'no labels'
        : `${classes.toLocaleString('en')} labels, and takes every picture for one of them`,
    ],
    [
      'Runs on',
      `WebAssembly, ${simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      threadsReason,
    ],
    ['Memory', megabytes(memory.heap)],
  ]);
}
