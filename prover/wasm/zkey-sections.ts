/** Table of a proving key's sections: positions and lengths in bytes, from a file or from memory. */
import { fileHeadBytes, sectionHeadBytes } from "../formats/zkey-layout.ts";

/** Positions of a proving key's sections, by id. The key's header was checked before. */
export type ZkeySections = Record<number, { position: number; byteCount: number }>;

/** A proving key's bytes, wherever they are. */
export interface KeySource {
  /** Fills `target`, also where another thread shares it. @throws RollupError PRV_KEY_INVALID */
  read(target: Uint8Array, position: number): void;
}

/** Reads the table of sections. @throws RollupError PRV_KEY_INVALID */
export function readSections(source: KeySource): ZkeySections {
  const read = (position: number, byteCount: number) => {
    const bytes = new Uint8Array(byteCount);
    source.read(bytes, position);
    return new DataView(bytes.buffer);
  };
  const sections: ZkeySections = {};
  let at = fileHeadBytes;
  for (let i = read(8, 4).getUint32(0, true); i > 0; i--) {
    const head = read(at, sectionHeadBytes);
    const byteCount = Number(head.getBigUint64(4, true));
    sections[head.getUint32(0, true)] = { position: at + sectionHeadBytes, byteCount };
    at += sectionHeadBytes + byteCount;
  }
  return sections;
}
