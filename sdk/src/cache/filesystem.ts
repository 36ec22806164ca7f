// Node only: reached through platform/node.ts, so that no bundle for a browser holds it.
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { fromBase64, toBase64, type Bytes } from '../bytes.js';
import { EdgeNetError } from '../errors.js';
import { chunkLength, chunkSize } from '../integrity.js';
import type { Cache, CachedFile, CachedModel, FileHandle } from './cache.js';

/** A record as JSON: bytes in base64. */
type StoredModel = Omit<CachedModel, 'manifest' | 'signature'> & {
  manifest: string;
  signature: string | null;
};

/** files/<sha256>, holes where chunks are missing, and models/<id>@<version>.json. */
export class FilesystemCache implements Cache {
  private constructor(private readonly folder: string) {}

  static async open(folder: string): Promise<FilesystemCache> {
    await mkdir(join(folder, 'files'), { recursive: true });
    await mkdir(join(folder, 'models'), { recursive: true });
    return new FilesystemCache(folder);
  }

  private path(sha256: string): string {
    return join(this.folder, 'files', sha256);
  }

  async readChunk(file: CachedFile, index: number): Promise<Bytes | undefined> {
    const handle = await open(this.path(file.sha256)).catch(absentIsUndefined);
    if (handle === undefined) return undefined;
    try {
      const bytes = new Uint8Array(chunkLength(file.size, index));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, index * chunkSize);
      return bytesRead === bytes.length ? bytes : undefined;
    } finally {
      await handle.close();
    }
  }

  async writeChunk(file: CachedFile, index: number, bytes: Bytes): Promise<void> {
    const path = this.path(file.sha256);
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
    try {
      await handle.write(bytes, 0, bytes.length, index * chunkSize);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new EdgeNetError(code === 'ENOSPC' ? 'resource_exhausted' : 'io', `${path}: ${message}`, {
        cause: error,
      });
    } finally {
      await handle.close();
    }
  }

  async open(file: CachedFile): Promise<FileHandle> {
    const path = this.path(file.sha256);
    if (file.size === 0) return { kind: 'bytes', bytes: new Uint8Array() };
    const info = await stat(path).catch(absentIsUndefined);
    if (info?.size !== file.size) {
      throw new EdgeNetError('not_found', `file ${file.sha256} is not whole in the cache`);
    }
    return { kind: 'path', path };
  }

  async models(): Promise<CachedModel[]> {
    const names = (await readdir(join(this.folder, 'models'))).filter((name) => name.endsWith('.json'));
    const records = await Promise.all(names.map((name) => this.readRecord(name)));
    return records.filter((record) => record !== undefined);
  }

  // A record that cannot be read is one that is not there: the model is fetched again.
  private async readRecord(name: string): Promise<CachedModel | undefined> {
    try {
      const record = JSON.parse(await readFile(join(this.folder, 'models', name), 'utf8')) as StoredModel;
      const signature = record.signature === null ? undefined : fromBase64(record.signature);
      const manifest = fromBase64(record.manifest);
      return manifest && { ...record, manifest, signature };
    } catch {
      return undefined;
    }
  }

  async putModel(model: CachedModel): Promise<void> {
    const path = join(this.folder, 'models', `${model.id}@${model.version}.json`);
    const signature = model.signature === undefined ? null : toBase64(model.signature);
    const manifest = Buffer.from(model.manifest).toString('base64'); // may be too long for toBase64
    const record: StoredModel = { ...model, manifest, signature };
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify(record));
    await rename(temporary, path);
  }

  async removeModel(id: string, version: string): Promise<void> {
    await rm(join(this.folder, 'models', `${id}@${version}.json`), { force: true });
  }

  async files(): Promise<Map<string, number>> {
    const names = await readdir(join(this.folder, 'files'));
    const sizes = await Promise.all(names.map(async (name) => (await stat(this.path(name))).blocks * 512));
    return new Map(names.map((name, i) => [name, sizes[i]!]));
  }

  async removeFile(sha256: string): Promise<void> {
    await rm(this.path(sha256), { force: true });
  }
}

function absentIsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
