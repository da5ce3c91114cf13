// Files dropped on the page or pasted into it: a picture, or the folder of a model.

export function startDrop(stage: HTMLElement, onFiles: (files: File[]) => void): void {
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    stage.classList.add('dragging');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) stage.classList.remove('dragging');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    stage.classList.remove('dragging');
    if (event.dataTransfer) void filesOf(event.dataTransfer).then(onFiles);
  });
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
}

/** A model's files, as opposed to a picture. */
export function isModel(files: readonly File[]): boolean {
  return files.some(({ name }) => name === 'config.json' || name.endsWith('.safetensors'));
}

/** The dropped files, and those of dropped folders. */
async function filesOf(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.some((entry) => entry.isDirectory)) return [...data.files];
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    // As a folder picker has it.
    Object.defineProperty(file, 'webkitRelativePath', { value: entry.fullPath.replace(/^\//, '') });
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  // readEntries gives a part at a time, and an empty one at the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return files;
    files.push(...(await Promise.all(part.map(filesIn))).flat());
  }
}
