import { type R1csTerms, readR1cs } from "../../compiler/r1cs-reader.ts";
import { FIELD_ORDER } from "../../protocol.ts";

/**
 * The first row that the witness breaks, or null: read from the file, with nothing of the composer's. About a million
 * rows a minute.
 *
 * @param values of all wires, 32 little-endian bytes each, wire 0 = 1
 * @param onProgress told of checked rows, every 2^17
 * @throws RollupError CIR_R1CS_MALFORMED
 */
export function findBrokenRow(
  r1csPath: string,
  values: Uint8Array,
  onProgress: (rows: number) => void = () => {},
): number | null {
  const { wireCount } = readR1cs(r1csPath);
  if (values.length !== 32 * wireCount || values[0] !== 1) return 0;
  const wires = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const dot = (window: Buffer, { termCount, offset }: R1csTerms): bigint => {
    let sum = 0n;
    for (let at = offset; at < offset + 36 * termCount; at += 36)
      sum += element(window, at + 4) * element(wires, 32 * window.readUInt32LE(at));
    return sum % FIELD_ORDER;
  };
  let broken: number | null = null;
  readR1cs(r1csPath, (window, a, b, c, row) => {
    if (broken !== null) return;
    const difference = dot(window, a) * dot(window, b) - dot(window, c);
    if (difference % FIELD_ORDER !== 0n) broken = row;
    if (row % 2 ** 17 === 2 ** 17 - 1) onProgress(row + 1);
  });
  return broken;
}

/** Small values, which most are, take one step. */
function element(bytes: Buffer, at: number): bigint {
  const [low, second] = [bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8)];
  const [third, high] = [bytes.readBigUInt64LE(at + 16), bytes.readBigUInt64LE(at + 24)];
  if (second === 0n && third === 0n && high === 0n) return low;
  return low | (second << 64n) | (third << 128n) | (high << 192n);
}
