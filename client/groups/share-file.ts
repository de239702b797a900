/** File of a member's share of a group's key: commands store it, pages save and read it. Who has as many of them as sign has the key. */
import { z } from "zod";
import { type GroupMember, writeMember } from "./group-charter.ts";

const fileSchema = z.strictObject({
  warning: z.string(),
  /** Folder of the group's messages, or URL of the host that has them. */
  mailbox: z.string(),
  /** As `readMember` and `completeSetup` take it, which check it. */
  member: z.looseObject({
    keyX: z.string(),
    group: z.looseObject({ charter: z.looseObject({ domain: z.string() }) }),
  }),
});
export type ShareFile = z.output<typeof fileSchema>;

export function encodeShareFile(member: GroupMember, mailbox: string): string {
  const warning = "a share of a group's key: who has as many of them as sign has the key";
  return `${JSON.stringify({ warning, mailbox, member: writeMember(member) }, null, 2)}\n`;
}

/** Returns null for a text that is no file of a share, or is cut off. */
export function decodeShareFile(text: string): ShareFile | null {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
