/**
 * Small bases of the public hub that this software computes, which the factory offers where its operator allows the hub: names, sizes,
 * licences, and what their model cards say. Nothing of them is in the release. Runs in browsers.
 */

/** A published base. */
export interface KnownBase {
  /** Name on the hub. */
  readonly name: string;
  /** Numbers of it, as its card has them. */
  readonly parameters: string;
  readonly licence: string;
  /** Use that its card names. */
  readonly use: string;
}

export const KNOWN_BASES: readonly KnownBase[] = [
  {
    name: "HuggingFaceTB/SmolLM2-135M",
    parameters: "135 M",
    licence: "Apache-2.0",
    use: "English. Compact, for many tasks on small machines; trained on two trillion tokens of web pages and code.",
  },
  {
    name: "HuggingFaceTB/SmolLM2-360M",
    parameters: "360 M",
    licence: "Apache-2.0",
    use: "English. Compact, for many tasks on small machines; trained on four trillion tokens of web pages and code.",
  },
  {
    name: "Qwen/Qwen3-0.6B-Base",
    parameters: "0.6 G",
    licence: "Apache-2.0",
    use: "119 languages; trained on 36 trillion tokens of code, science, books and other texts.",
  },
];
