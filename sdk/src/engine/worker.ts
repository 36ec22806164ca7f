// The worker that owns a model and its sessions, or one thread of its pool: the first message says which.
import { worker } from '#worker';

import { EdgeNetError } from '../errors.js';
import { Core, runThread } from './core.js';
import type {
  FromWorker,
  GenerateResult,
  MemoryInfo,
  OpenedModel,
  OpenModel,
  Request,
  ToWorker,
} from './messages.js';
import type { SessionRequest } from './requests.js';
import { SessionQueue } from './session-queue.js';

const yieldEveryMs = 16; // how late a message may be heard, beside one pass of the model

let opened: { core: Core; model: number } | undefined;
const sessions = new Map<number, SessionQueue>();

const post = (message: FromWorker): void => worker.post(message);

function model(): { core: Core; model: number } {
  if (opened === undefined) throw new EdgeNetError('internal', 'no model is open');
  return opened;
}

function sessionOf({ session }: Request): SessionQueue {
  const found = sessions.get(session);
  if (found === undefined) throw new EdgeNetError('internal', `no session ${session} is open`);
  return found;
}

async function openModel({ module, threads, files, ...request }: OpenModel): Promise<OpenedModel> {
  const core = await Core.instantiate(await WebAssembly.compile(module), {
    size: (name) => (files.has(name) ? worker.size(files.get(name)!) : -1),
    read: (name, offset, out) => worker.readSync(files.get(name)!, offset, out),
  });
  await core.startThreads(threads, (thread) => worker.startSibling({ thread } satisfies ToWorker));
  const { model, kind } = core.openModel(request);
  files.clear(); // what was read is in the module's memory
  opened = { core, model };
  return { kind, isa: core.isa() };
}

function openSession(request: SessionRequest): number {
  const { core, model: handle } = model();
  const session = core.openSession(handle, request);
  sessions.set(session, new SessionQueue(core, session, request.sequences ?? 1));
  return session;
}

function memoryOf(session: number): { memory?: MemoryInfo } {
  if (!sessions.has(session)) return {};
  const { core } = model();
  return { memory: { ...core.memoryInfo(session), totalBytes: core.memory.buffer.byteLength } };
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

/** One pass of each session that has something to do; false if none has. */
const stepAll = (): boolean => [...sessions.values()].map((session) => session.step()).includes(true);

let running = false;

/** Passes of all sessions in turn, until none has anything to do. */
async function run(): Promise<void> {
  if (running) return;
  running = true;
  await turn(); // calls that were made together begin together
  let heard = performance.now();
  while (stepAll()) {
    if (performance.now() - heard < yieldEveryMs) continue;
    await turn();
    heard = performance.now();
  }
  running = false;
}

/** A text of the session that tells its pieces as they come. */
const write = (request: Request, start: () => number): Promise<GenerateResult> =>
  new Promise((resolve, reject) => {
    const { id } = request;
    const onPiece = (piece: string) => post({ id, piece });
    sessionOf(request).add({ id, start, onPiece, resolve, reject });
  });

/** What the call gives, when its turn has come. */
function answer(request: Request): unknown {
  const { session } = request;
  switch (request.call) {
    case 'openModel':
      return openModel(request.argument);
    case 'openSession':
      return openSession(request.argument);
    case 'generate':
      return write(request, () => model().core.beginText(session, request.argument));
    case 'chat':
      return write(request, () => model().core.beginAnswer(session, request.argument));
    case 'embed':
      return alone(request, () => model().core.embed(session, request.argument));
    case 'clearCache':
      return alone(request, () => model().core.clearCache(session));
  }
}

/** Makes the call when those before it on its session have ended, and before the next begins. */
const alone = <T>(request: Request, call: () => T): Promise<T> =>
  new Promise((resolve) => {
    sessionOf(request).addAlone(() => resolve(new Promise((made) => made(call()))));
  });

async function serve(request: Request): Promise<void> {
  const { id } = request;
  try {
    const answered = answer(request);
    void run();
    const value = await answered;
    const session = request.call === 'openSession' ? (value as number) : request.session;
    post({ id, value, ...memoryOf(session) });
  } catch (error) {
    const code = error instanceof EdgeNetError ? error.code : 'internal';
    post({ id, error: { code, message: error instanceof Error ? error.message : String(error) } });
  }
}

worker.listen((message) => {
  const said = message as ToWorker;
  if ('thread' in said) void runThread(said.thread, () => worker.post('ready'));
  else if ('request' in said) void serve(said.request);
  else if ('cancel' in said) [...sessions.values()].some((session) => session.cancel(said.cancel));
  else {
    sessions.get(said.closeSession)?.close();
    sessions.delete(said.closeSession);
  }
});
