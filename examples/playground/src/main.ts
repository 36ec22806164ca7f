import {
  EdgeNetError,
  ModelLoader,
  type GenerateResult,
  type InferenceSession,
  type ListedModel,
  type Progress,
} from '@ruvector/edge-net-models';

import { ChunkGrid } from './chunks.js';

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
function text(id: string, value: string): void {
  byId(id).textContent = value;
}

const units = ['B', 'kB', 'MB', 'GB'];
function bytes(count: number): string {
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1000 ** unit).toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

/** Public keys (PEM) that whoever serves this page trusts, in trusted-keys.json beside it. */
async function trustedKeys(): Promise<string[]> {
  const response = await fetch('./trusted-keys.json');
  return response.ok ? ((await response.json()) as string[]) : [];
}

function say(id: 'load-state' | 'write-state', words: string, kind: '' | 'good' | 'wrong' = ''): void {
  const line = byId(id);
  line.textContent = words;
  line.className = `state ${kind}`;
}

const advice: Partial<Record<EdgeNetError['code'], string>> = {
  untrusted: 'Nobody whom this page trusts has signed this model, so it was not loaded.',
  corrupt: 'The bytes are not what was signed, so they were not used.',
  unavailable: 'The registry does not answer.',
  resource_exhausted: 'There is not enough room for it.',
};
function inWords(error: unknown): string {
  const known = error instanceof EdgeNetError ? advice[error.code] : undefined;
  return [known, (error as Error).message].filter(Boolean).join(' ');
}

const grid = new ChunkGrid(byId('chunks'));
let session: InferenceSession | undefined;
let loading: AbortController | undefined;
let writing: AbortController | undefined;

function show({ loaded, total, fetched, chunk, bytesPerSecond, etaSeconds }: Progress): void {
  grid.set(chunk.index, chunk.count, chunk.from === 'cache' ? 'cached' : 'fetched');
  text('loaded', `${bytes(loaded)} of ${bytes(total)}`);
  text('fetched', fetched === 0 ? 'nothing yet' : bytes(fetched));
  text('speed', fetched === 0 ? '–' : `${bytes(bytesPerSecond)}/s`);
  const rest = etaSeconds !== undefined && etaSeconds > 1 ? `, ${Math.ceil(etaSeconds)} s to go` : '';
  if (loaded < total) say('load-state', `Verifying each chunk as it comes${rest}`);
  else say('load-state', 'Every chunk is what was signed. Opening the model …');
}

async function load(loader: ModelLoader, model: ListedModel, signal: AbortSignal): Promise<void> {
  session?.dispose();
  session = undefined;
  grid.clear();
  for (const id of ['loaded', 'fetched', 'speed', 'signer']) text(id, '–');
  byId('load').hidden = false;
  byId('write').hidden = true;
  say('load-state', 'Checking the signature …');
  try {
    const begin = performance.now();
    const manifest = await loader.getManifest(model.id, { signal });
    text('signer', manifest.signedBy ?? 'nobody trusted');
    const opened = await loader.load(model.id, { signal, version: manifest.version });
    if (signal.aborted) return opened.dispose();
    session = opened;
    if (byId('fetched').textContent === 'nothing yet') text('fetched', 'nothing');
    const threads = session.threads === 1 ? 'one thread' : `${session.threads} threads`;
    const seconds = ((performance.now() - begin) / 1e3).toFixed(1);
    const what = `${manifest.id} ${manifest.version}`;
    say('load-state', `${what} is ready after ${seconds} s: ${session.isa}, ${threads}.`, 'good');
    if (session.kind === 'decoder') byId('write').hidden = false;
    else say('load-state', `${manifest.id} makes vectors; this page writes text. Choose another.`, 'wrong');
  } catch (error) {
    if (!signal.aborted) say('load-state', inWords(error), 'wrong');
  }
}

function card(model: ListedModel): HTMLButtonElement {
  const button = document.createElement('button');
  button.className = 'model';
  button.type = 'button';
  button.setAttribute('role', 'radio');
  button.setAttribute('aria-checked', 'false');
  const name = document.createElement('strong');
  name.textContent = model.name;
  const facts = document.createElement('small');
  const known = [model.version, model.quantization, model.type.replace('-', ' '), bytes(model.size)];
  facts.textContent = known.filter(Boolean).join(' · ');
  button.append(name, facts);
  return button;
}

async function listModels(loader: ModelLoader): Promise<void> {
  const place = byId('models');
  const note = (words: string) => {
    const line = document.createElement('p');
    line.textContent = words;
    place.replaceChildren(line);
  };
  let models: ListedModel[];
  try {
    models = await loader.listModels();
  } catch (error) {
    return note(inWords(error));
  }
  if (models.length === 0) {
    return note('This registry has no models yet: `edge-net-models publish` sends one.');
  }
  const cards = models.map((model) => {
    const button = card(model);
    button.addEventListener('click', () => {
      cards.forEach((other) => other.setAttribute('aria-checked', String(other === button)));
      loading?.abort();
      writing?.abort();
      loading = new AbortController();
      void load(loader, model, loading.signal);
    });
    return button;
  });
  place.replaceChildren(...cards);
}

function speed({ tokens, finishReason, decodeTokensPerSecond }: GenerateResult): string {
  const ends = {
    stop: 'the story was over',
    length: 'as long as asked for',
    context_full: 'the model can remember no more',
    cancelled: 'stopped',
  };
  return `${tokens} tokens at ${decodeTokensPerSecond.toFixed(0)} tokens/s: ${ends[finishReason]}.`;
}

async function write(model: InferenceSession): Promise<void> {
  writing = new AbortController();
  const prompt = byId<HTMLTextAreaElement>('prompt').value;
  const [go, page, out] = [byId<HTMLButtonElement>('go'), byId('page'), byId('text')];
  text('begun', prompt);
  out.textContent = '';
  page.hidden = false;
  page.classList.add('writing');
  go.textContent = 'Stop';
  go.classList.add('stop');
  const begin = performance.now();
  let pieces = 0;
  try {
    const stream = model.generateStream(prompt, {
      maxTokens: byId<HTMLInputElement>('length').valueAsNumber,
      temperature: byId<HTMLInputElement>('temperature').valueAsNumber,
      topP: 0.95,
      seed: Math.floor(Math.random() * 2 ** 31),
      signal: writing.signal,
    });
    for await (const piece of stream) {
      out.append(piece);
      pieces += 1;
      const rate = (1e3 * pieces) / (performance.now() - begin);
      say('write-state', `${rate.toFixed(0)} pieces of text a second`);
    }
    say('write-state', speed(await stream.result), 'good');
  } catch (error) {
    if (writing.signal.aborted) say('write-state', 'Stopped.');
    else say('write-state', inWords(error), 'wrong');
  }
  page.classList.remove('writing');
  go.textContent = 'Write';
  go.classList.remove('stop');
  writing = undefined;
}

function bindControls(): void {
  for (const id of ['length', 'temperature']) {
    const input = byId<HTMLInputElement>(id);
    const update = () =>
      text(`${id}-value`, id === 'length' ? `${input.value} tokens` : input.valueAsNumber.toFixed(2));
    input.addEventListener('input', update);
    update();
  }
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (writing !== undefined) writing.abort();
    else if (session !== undefined) void write(session);
  });
  byId('prompt').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      byId<HTMLFormElement>('form').requestSubmit();
    }
  });
}

bindControls();
await listModels(new ModelLoader({ trustedKeys: await trustedKeys(), download: { progressCallback: show } }));
