/**
 * Draw of the validator who shares in a row's earnings, among the people whose label for it was accepted. Owners draw when they
 * publish a version, and whoever checks one draws again (client/datanets/reviewed-version.ts).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";

/**
 * Draws who vouches for a row among those whose label was accepted: the candidate with the lowest SHA-256("OpenLedger
 * validator draw v1", domain, Datanet as uint32, the row's SHA-256, leaf as uint32), big-endian. One more candidate
 * takes the row only by winning the draw, and anyone can draw again. Attack: anyone who labels under ten accounts has
 * ten tries; the card names the labellers if that matters.
 *
 * @param row 64 hexadecimal digits
 * @returns null if there is no candidate
 */
export function drawValidator(
  { datanetId, domain, row }: { readonly domain: bigint; readonly datanetId: number; readonly row: string },
  candidates: readonly number[],
): number | null {
  const tag = new TextEncoder().encode("OpenLedger validator draw v1");
  const message = new Uint8Array(tag.length + 72);
  message.set(tag);
  const view = new DataView(message.buffer, tag.length);
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, (domain >> BigInt(192 - 64 * i)) & (2n ** 64n - 1n));
  view.setUint32(32, datanetId);
  message.set(hexToBytes(row), tag.length + 36);
  let best: { readonly leafId: number; readonly ticket: string } | null = null;
  for (const leafId of candidates) {
    view.setUint32(68, leafId);
    const ticket = bytesToHex(sha256(message));
    if (best === null || ticket < best.ticket) best = { leafId, ticket };
  }
  return best?.leafId ?? null;
}
