// The model panel: where the model comes from, its progress, and what was loaded.
import type { Classifier, ClassifierInfo, Progress, Session, SessionStatus } from 'vitrine';
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

let shownModel: Classifier | undefined;
let shownError: unknown;

function show({ state, model, progress, loadError }: SessionStatus<Classifier>): void {
  loadingBox.hidden = state !== 'loading';
  if (state === 'loading') showProgress(progress);
  if (loadError !== shownError) {
    shownError = loadError;
    if (loadError === undefined) errorBox.hidden = true;
    else showError(errorBox, 'The model could not be loaded.', loadError);
  }
  // The model there is works on while another loads, and when that fails.
  if (model && model !== shownModel) showModel(model.info);
  shownModel = model;
}

/** A folder of the user's, from the picker or dropped on the page. */
export function loadFiles(session: Session<Classifier>, files: File[]): void {
  select('folder');
  void session.load(files);
}

/** Wires the panel up and loads the bundled model, or what ?model= names. */
export function startModelPanel(session: Session<Classifier>): void {
  session.subscribe(show);
  form.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.name !== 'source') return;
    select(target.value);
    if (target.value === 'bundled') void session.load(BUNDLED);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (urlInput.value) void session.load(urlInput.value);
    else urlInput.focus();
  });
  element('choose-folder').addEventListener('click', () => folderFiles.click());
  folderFiles.addEventListener('change', () => {
    if (folderFiles.files?.length) loadFiles(session, [...folderFiles.files]);
    folderFiles.value = ''; // the same folder may be chosen again
  });
  element('cancel').addEventListener('click', () => session.abortLoad());

  const asked = new URL(location.href).searchParams.get('model');
  if (asked === null) {
    select('bundled');
    void session.load(BUNDLED);
  } else {
    urlInput.value = asked;
    select('url');
    void session.load(asked);
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
