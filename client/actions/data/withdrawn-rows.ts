/**
 * Rows of a store that their contributors have withdrawn, so that no host has their bytes any more. Downloads note them, and what
 * reads rows goes on without them or says why it cannot.
 */
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { readRowFile, writeRowFile } from "./row-files.ts";

const withdrawnSchema = z.strictObject({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  datanetId: z.int().min(0),
  contributorId: z.int().min(0),
  /** Time of the signature, in Unix milliseconds. */
  atMs: z.number(),
  note: z.string(),
});
const fileSchema = z.strictObject({
  format: z.literal("openledger-withdrawn-1"),
  rows: z.array(withdrawnSchema),
});

/** Folder of a row store (row-store.ts). */
interface StoreFolder {
  readonly folder: string;
}

/** A row that its contributor has withdrawn. */
export type WithdrawnRow = z.output<typeof withdrawnSchema>;

const FILE = "contributions/withdrawn.json";

/**
 * Notes withdrawn rows in a store. The rows' bytes stay where the store has them: it is the reader's own.
 * @internal
 */
export async function noteWithdrawn({ folder }: StoreFolder, rows: readonly WithdrawnRow[]): Promise<void> {
  if (rows.length === 0) return;
  const noted = new Map((await readWithdrawn({ folder })).map((row) => [nameOf(row), row]));
  for (const { atMs, contributorId, datanetId, digest, note } of rows)
    noted.set(nameOf({ datanetId, digest }), { digest, datanetId, contributorId, atMs, note });
  const text = `${JSON.stringify({ format: "openledger-withdrawn-1", rows: [...noted.values()] }, null, 1)}\n`;
  await writeRowFile(folder, FILE, new TextEncoder().encode(text), true);
}

/**
 * Reads the withdrawn rows that a store has noted; none where its file is damaged.
 * @internal
 */
export async function readWithdrawn({ folder }: StoreFolder): Promise<WithdrawnRow[]> {
  const file = await readRowFile(folder, FILE).catch(() => null);
  if (file === null) return [];
  try {
    return fileSchema.parse(JSON.parse(textOfBytes(file))).rows;
  } catch {
    return [];
  }
}

const nameOf = ({ datanetId, digest }: Pick<WithdrawnRow, "datanetId" | "digest">) =>
  `${datanetId}/${digest}`;
