/** Digits as rows of attack worlds (gaming/attack-factor.ts): an attack replaces pixels. */
import { decode } from "fast-png";
import { contentOf } from "../rows/row-content.ts";
import type { AttackSource } from "./gaming/attack-source.ts";
import { digitContents, digitFile } from "./mnist-digits.ts";

/** The packaged digits, whose parts are grey levels of pixels. */
export function digitSource(): AttackSource {
  const inputOf = (levels: Uint8Array) => Buffer.from(digitFile(levels)).toString("base64");
  return {
    kind: "image",
    fields: [],
    classes: Array.from({ length: 10 }, (_, digit) => `${digit}`),
    rows: digitContents().map((content) => ({
      input: inputOf(content.subarray(0, -1)),
      label: content.at(-1)!,
    })),
    partsOf: (input) => Array.from(decode(Buffer.from(input, "base64")).data, String),
    joined: (levels) => inputOf(Uint8Array.from(levels, Number)),
    contentsOf: async (inputs) => inputs.map((input) => contentOf("image", input)),
  };
}
