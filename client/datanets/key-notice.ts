/** Week's notice of a leaf at a host, for pages and commands. */
import { z } from "zod";
import { askHost, type HostAccess, type HostErrorCode } from "./host-request.ts";

const noticeSchema = z.object({
  notice: z
    .object({ leafId: z.int(), queueIndex: z.int(), atMs: z.number(), untilMs: z.number() })
    .nullable(),
});

/** A key that a leaf got through L1's queue, without the old key's signature. */
export type KeyNotice = NonNullable<z.output<typeof noticeSchema>["notice"]>;

export interface GetKeyNoticeParameters {
  hostUrl: string;
  leafId: number;
}
export type GetKeyNoticeErrorCode = "DNT_KEY_NOTICE" | HostErrorCode;

/**
 * Reads the notice that a leaf's key is under at a host: until `untilMs` the key erases no rows, grants no access, and reads no
 * permissioned ones.
 * @returns null where the old key has signed for the present one, or the week is over
 * @throws DNT_KEY_NOTICE while the host still reads the leaf's operations, and where its sequencer has pruned some of the last week
 * @example
 * ```ts
 * const notice = await getKeyNotice(client, { hostUrl, leafId: 7 });
 * if (notice !== null) console.log(`until ${new Date(notice.untilMs).toISOString()}`);
 * ```
 */
export async function getKeyNotice(
  client: HostAccess,
  { hostUrl, leafId }: GetKeyNoticeParameters,
): Promise<KeyNotice | null> {
  const path = `/v1/leaves/${leafId}/key-notice`;
  return (await askHost(client, hostUrl, { path }, noticeSchema)).notice;
}
