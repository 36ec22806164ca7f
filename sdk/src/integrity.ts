// Hashes of a file: SHA-256 of each 256 KiB chunk and two trees over them, as docs/formats/manifest.md says and
// enm/distribution/integrity.cc does.
import { concat, fromHex, toHex, type Bytes } from './bytes.js';

export const chunkSize = 262_144;
const linksPerNode = 174;

export const chunkCount = (size: number): number => Math.ceil(size / chunkSize);
/** Bytes in chunk `index` of a file of `size` bytes. */
export const chunkLength = (size: number, index: number): number =>
  Math.min(chunkSize, size - index * chunkSize);

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export const sha256Hex = async (bytes: Bytes): Promise<string> => toHex(await sha256(bytes));

/** RFC 6962, section 2.1, over chunk digests in hex. */
export async function merkleRoot(chunks: readonly string[]): Promise<string> {
  return toHex(await subtree(chunks.map(fromHex)));
}

async function subtree(leaves: readonly Bytes[]): Promise<Bytes> {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(concat([Uint8Array.of(0), leaves[0]!]));
  const split = 2 ** (31 - Math.clz32(leaves.length - 1));
  const [left, right] = await Promise.all([subtree(leaves.slice(0, split)), subtree(leaves.slice(split))]);
  return sha256(concat([Uint8Array.of(1), left, right]));
}

/** A block of the UnixFS tree, as its parent's link describes it. */
interface Block {
  codec: number; // multicodec: 0x55 raw, 0x70 dag-pb
  digest: Bytes;
  treeBytes: number; // the block and all below it, encoded: the link's Tsize
  fileBytes: number; // of the file, below it
}

const cidBytes = (block: Block): Bytes => concat([Uint8Array.of(1, block.codec, 0x12, 0x20), block.digest]);

function varint(value: number): Bytes {
  const out: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  return Uint8Array.from([...out, value]);
}

const field = (tag: number, bytes: Uint8Array): Bytes =>
  concat([Uint8Array.of(tag), varint(bytes.length), bytes]);

// dag-pb: links (field 2: Hash, empty Name, Tsize) stand before the data (field 1), which is UnixFS
// {Type = File, filesize, blocksizes unpacked}.
async function fileNode(children: readonly Block[]): Promise<Block> {
  const treeBytes = children.reduce((sum, child) => sum + child.treeBytes, 0);
  const fileBytes = children.reduce((sum, child) => sum + child.fileBytes, 0);
  const links = children.map((child) =>
    field(
      0x12,
      concat([field(0x0a, cidBytes(child)), Uint8Array.of(0x12, 0, 0x18), varint(child.treeBytes)]),
    ),
  );
  const sizes = children.flatMap((child) => [Uint8Array.of(0x20), varint(child.fileBytes)]);
  const data = concat([Uint8Array.of(0x08, 2, 0x18), varint(fileBytes), ...sizes]);
  const node = concat([...links, field(0x0a, data)]);
  return { codec: 0x70, digest: await sha256(node), treeBytes: treeBytes + node.length, fileBytes };
}

function base32(bytes: Uint8Array): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('');
}

/** What `ipfs add --cid-version=1 --raw-leaves` prints for the file of `size` bytes with those chunk digests (hex). */
export async function cid(size: number, chunks: readonly string[]): Promise<string> {
  const leaf = (digest: Bytes, length: number): Block => ({
    codec: 0x55,
    digest,
    treeBytes: length,
    fileBytes: length,
  });
  let level = chunks.map((chunk, i) => leaf(fromHex(chunk), chunkLength(size, i)));
  if (level.length === 0) level = [leaf(await sha256(new Uint8Array()), 0)];
  while (level.length > 1) {
    const groups = Array.from({ length: Math.ceil(level.length / linksPerNode) }, (_, i) =>
      level.slice(i * linksPerNode, (i + 1) * linksPerNode),
    );
    level = await Promise.all(groups.map(fileNode));
  }
  return `b${base32(cidBytes(level[0]!))}`;
}
