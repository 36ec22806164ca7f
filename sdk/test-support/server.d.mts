import type { IncomingMessage } from 'node:http';

export type Fault = (request: IncomingMessage, body: Buffer) => Buffer | { status: number };

export interface FolderServer {
  url: string;
  sent: number; // bytes of bodies
  requests: number;
  fault: Fault;
  close(): void;
}

export function serveFolder(
  folder: string,
  options?: { fault?: Fault; isolated?: boolean },
): Promise<FolderServer>;
