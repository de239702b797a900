/**
 * Schema of meta.json, the description beside a proving key's file: the circuit that it belongs to, its file's hash and bytes.
 */
import { z } from "zod";

/** Schema of meta.json beside a proving key, which identifies the key. */
const keyMetaSchema = z.object({
  name: z.string(),
  /** Content hash of the circuit, hex. */
  contentHash: z.string(),
  isDevelopment: z.boolean(),
  /** Version of the development setup; 0 for keys from a ceremony. */
  setupVersion: z.int(),
  /** File name in the same folder. */
  zkeyFile: z.string(),
  zkeySha256: z.string(),
  zkeyBytes: z.int(),
  publicCount: z.int(),
});

export type KeyMeta = z.infer<typeof keyMetaSchema>;

/** The description in a meta.json's text, or null if the text is none. */
export function parseKeyMeta(text: string): KeyMeta | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  return keyMetaSchema.safeParse(json).data ?? null;
}
