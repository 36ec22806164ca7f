// manifest.sig and whom to believe; see docs/formats/manifest.md.
import { verifyAsync } from '@noble/ed25519';

import { fromBase64, type Bytes } from './bytes.js';
import { parseCanonical } from './canonical.js';
import { corrupt, EdgeNetError } from './errors.js';

/** A public key: its PEM text (with a `Key-Id:` line before it), or its id and 32 bytes in base64. */
export type TrustedKey = string | { keyId: string; publicKey: string };

interface PublicKey {
  keyId: string;
  bytes: Bytes;
}

// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) before its 32 bytes.
const spkiPrefix = 'MCowBQYDK2VwAyEA';

export function parseTrustedKey(key: TrustedKey): PublicKey {
  if (typeof key !== 'string') return checked(key.keyId, fromBase64(key.publicKey));
  const body = /-----BEGIN PUBLIC KEY-----([\s\S]*?)-----END PUBLIC KEY-----/
    .exec(key)?.[1]
    ?.replace(/\s/g, '');
  const keyId = /^Key-Id:[ \t]*(\S+)[ \t]*$/m.exec(key)?.[1];
  if (body === undefined || keyId === undefined || !body.startsWith(spkiPrefix)) {
    throw new EdgeNetError(
      'invalid_argument',
      'trusted key: expected the PEM of an Ed25519 public key with a line "Key-Id: NAME" before it',
    );
  }
  return checked(keyId, fromBase64(body)?.slice(12));
}

function checked(keyId: string, bytes: Bytes | undefined): PublicKey {
  if (bytes?.length === 32 && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(keyId)) return { keyId, bytes };
  throw new EdgeNetError(
    'invalid_argument',
    `trusted key ${JSON.stringify(keyId)}: expected an id and 32 bytes`,
  );
}

function parseSignature(bytes: Uint8Array): { keyId: string; signature: Bytes } {
  const json = parseCanonical(bytes, 'signature') as Record<string, unknown>;
  const { algorithm, keyId, signature } = json;
  if (algorithm !== 'Ed25519') {
    throw new EdgeNetError(
      'unsupported',
      `signature algorithm ${JSON.stringify(algorithm)}; expected Ed25519`,
    );
  }
  const raw = typeof signature === 'string' ? fromBase64(signature) : undefined;
  if (typeof keyId !== 'string' || raw?.length !== 64 || Object.keys(json).length !== 3) {
    throw corrupt('[signature] expected keyId, algorithm and 64 bytes of signature in base64');
  }
  return { keyId, signature: raw };
}

/** The id of the trusted key that signed these very bytes; `untrusted` if none did. */
export async function verifySignature(
  manifest: Uint8Array,
  signature: Uint8Array | undefined,
  trusted: readonly TrustedKey[],
): Promise<string> {
  if (signature === undefined) throw new EdgeNetError('untrusted', 'the manifest is not signed');
  const { keyId, signature: raw } = parseSignature(signature);
  const key = trusted.map(parseTrustedKey).find((candidate) => candidate.keyId === keyId);
  if (key === undefined) {
    throw new EdgeNetError('untrusted', `signed by "${keyId}", who is not among trustedKeys`);
  }
  const holds = await verifyAsync(raw, manifest, key.bytes, { zip215: false });
  if (!holds) throw new EdgeNetError('untrusted', `the signature is not "${keyId}"'s over this manifest`);
  return keyId;
}
