/** The list of rows that a version leaves out: `datanet check --write` makes it, `datanet publish --leave-out` takes it. */
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { z } from "zod";
import { commandError } from "../../cli/cli-errors.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";

const fileSchema = z.strictObject({
  datanetId: z.int().nonnegative(),
  rows: z.array(
    z.strictObject({
      /** SHA-256 of the row: its name in the store. */
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      /** Reason for people; a line may be deleted or added by hand. */
      why: z.string(),
    }),
  ),
});
export type LeaveOutFile = z.output<typeof fileSchema>;

export function writeLeaveOut(path: string, file: LeaveOutFile): Promise<void> {
  return writeFileWhole(path, `${JSON.stringify(file, null, 1)}\n`);
}

/** @throws CMD_FILE_UNREADABLE if it is no such list, or one of another datanet */
export async function readLeaveOut(path: string, datanetId: number): Promise<ReadonlySet<string>> {
  let file: LeaveOutFile;
  try {
    file = fileSchema.parse(await readJsonFile(path));
  } catch (cause) {
    throw commandError("CMD_FILE_UNREADABLE", `${path} is no list of rows to leave out`, {
      data: { reason: "list-unreadable", path },
      cause,
    });
  }
  if (file.datanetId !== datanetId) {
    throw commandError("CMD_FILE_UNREADABLE", `${path} is for datanet ${file.datanetId}, not ${datanetId}`, {
      data: { reason: "list-unreadable", path, datanetId: file.datanetId },
    });
  }
  return new Set(file.rows.map(({ digest }) => digest));
}
