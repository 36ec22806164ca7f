// The worker that owns a model, or one thread of its pool: the first message says which.
import { worker } from '#worker';

import { EdgeNetError } from '../errors.js';
import { Core, runThread } from './core.js';
import type {
  FromWorker,
  GenerateRequest,
  GenerateResult,
  OpenRequest,
  OpenResult,
  Request,
  ToWorker,
} from './messages.js';

const yieldEveryMs = 16; // how late a cancellation may be heard, beside one pass of the model

let core: Core | undefined;
let cancelled: number | undefined;
let queue: Promise<void> = Promise.resolve();

const post = (message: FromWorker): void => worker.post(message);

function opened(): Core {
  if (core === undefined) throw new EdgeNetError('internal', 'no model is open');
  return core;
}

async function open(request: OpenRequest): Promise<OpenResult> {
  const { files } = request;
  core = await Core.instantiate(await WebAssembly.compile(request.module), {
    size: (name) => (files.has(name) ? worker.size(files.get(name)!) : -1),
    read: (name, offset, out) => worker.readSync(files.get(name)!, offset, out),
  });
  await core.startThreads(request.threads, (thread) => worker.startSibling({ thread } satisfies ToWorker));
  const kind = core.open(request.contextLength) as OpenResult['kind'];
  files.clear(); // what was read is in the module's memory
  return { kind, isa: core.isa() };
}

// Messages are heard between two turns of the event loop.
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });

async function generate(id: number, request: GenerateRequest): Promise<GenerateResult> {
  const model = opened();
  const begin = performance.now();
  let read = begin;
  let heard = begin;
  let text = '';
  model.beginText(request);
  for (let done = false; !done;) {
    const step = model.step();
    done = step.done;
    const now = performance.now();
    if (step.readPrompt) read = now;
    if (step.text !== '') {
      text += step.text;
      post({ id, piece: step.text });
    }
    if (now - heard < yieldEveryMs) continue;
    await turn();
    heard = performance.now();
    if (cancelled !== id) continue;
    model.cancel();
    done = true;
  }
  const end = model.endText();
  const seconds = (performance.now() - read) / 1e3;
  return {
    ...end,
    text,
    finishReason: end.finishReason as GenerateResult['finishReason'],
    prefillTokensPerSecond: end.promptTokens / Math.max(1e-6, (read - begin) / 1e3),
    decodeTokensPerSecond: Math.max(0, end.tokens - 1) / Math.max(1e-6, seconds), // the first token is the prompt's
  };
}

function answer(request: Request): unknown {
  switch (request.call) {
    case 'open':
      return open(request.argument);
    case 'generate':
      return generate(request.id, request.argument);
    case 'embed':
      return opened().embed(request.argument);
    case 'clearCache':
      return opened().clearCache();
  }
}

async function serve(request: Request): Promise<void> {
  const { id } = request;
  try {
    const value = await answer(request);
    post({ id, value, memory: opened().memoryInfo() });
  } catch (error) {
    const code = error instanceof EdgeNetError ? error.code : 'internal';
    post({ id, error: { code, message: error instanceof Error ? error.message : String(error) } });
  }
}

worker.listen((message) => {
  const said = message as ToWorker;
  if ('thread' in said) void runThread(said.thread, () => worker.post('ready'));
  else if ('cancel' in said) cancelled = said.cancel;
  else queue = queue.then(() => serve(said.request)); // one at a time, in their order
});
