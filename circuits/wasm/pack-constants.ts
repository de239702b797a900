import { poseidonConstants } from "./poseidon-constants.ts";

/** Constants of one width as `poseidon-constants.browser.ts` reads them: 32 bytes each, c, s, m, p. */
interface PackedConstants {
  readonly roundConstants: number;
  readonly sparseEntries: number;
  readonly base64: string;
}

/** Of widths (inputs and the tag), for builds that have no files to read at run time. */
export function packConstants(widths: readonly number[]): Readonly<Record<number, PackedConstants>> {
  return Object.fromEntries(
    widths.map((width) => {
      const { c, s, m, p } = poseidonConstants(width);
      const hex = [...c, ...s, ...m.flat(), ...p.flat()].map((value) => value.toString(16).padStart(64, "0"));
      const base64 = Buffer.from(hex.join(""), "hex").toString("base64");
      return [width, { roundConstants: c.length, sparseEntries: s.length, base64 }];
    }),
  );
}
