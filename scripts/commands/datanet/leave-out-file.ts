/** The list of rows that a version leaves out: `datanet check --write` makes it, `datanet publish --leave-out` takes it. */
import { readFile } from "node:fs/promises";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { z } from "zod";
import { commandError } from "../../cli/cli-errors.ts";

const fileSchema = z.strictObject({
  datanetId: z.int().nonnegative(),
  rows: z.array(
    z.strictObject({
      /** SHA-256 of the row: its name in the store. */
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      /** For people; a line may be taken out or added by hand. */
      why: z.string(),
    }),
  ),
});
export type LeaveOutFile = z.output<typeof fileSchema>;

export function writeLeaveOut(path: string, file: LeaveOutFile): Promise<void> {
  return writeFileWhole(path, `${JSON.stringify(file, null, 1)}\n`);
}

/** @throws CMD_LIST_UNREADABLE where it is no such list, or one of another datanet */
export async function readLeaveOut(path: string, datanetId: number): Promise<ReadonlySet<string>> {
  let file: LeaveOutFile;
  try {
    file = fileSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw commandError("CMD_LIST_UNREADABLE", `${path} is no list of rows to leave out`, {
      data: { path },
      cause,
    });
  }
  if (file.datanetId !== datanetId) {
    throw commandError("CMD_LIST_UNREADABLE", `${path} is for datanet ${file.datanetId}, not ${datanetId}`, {
      data: { path, datanetId: file.datanetId },
    });
  }
  return new Set(file.rows.map(({ digest }) => digest));
}
