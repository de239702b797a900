import dictionary from "virtual:dictionary";
import type { ComponentChildren } from "preact";
import { Explained } from "../design/term.tsx";

/** Meanings that a reader of pages needs besides those of docs/reference/glossary.md, which speaks to readers of the source. */
const FOR_READERS: Readonly<Record<string, string>> = {
  accepted:
    "The operator has signed a preconfirmation: it promises to post this operation on Ethereum in time.",
  "in a batch": "The batch that holds it is closed. Nothing can be put before it any more.",
  proven: "A zero-knowledge proof shows that the whole batch follows the rules.",
  posted:
    "Ethereum has checked the proof and taken the batch. From here on the money is safe without the operator.",
  final: "Enough Ethereum blocks lie on top that it will not be taken back.",
  finalizable: "The contract on Ethereum holds the money for you. One transaction pays it out.",
  L1: "Ethereum itself, where the contract holds all the money.",
  ledger: "The accounts of this rollup. Each change is proven to the contract on Ethereum.",
  permit: "A signature that lets the contract take this amount of OPEN, without a transaction of its own.",
  unverified: "The operator says so. It was not checked against Ethereum yet.",
  verified: "Checked here, in your browser: the leaf leads to the root that the contract on Ethereum holds.",
};

/** A word of the dictionary with its meaning. The name is the word as the dictionary has it; the text may bend it. */
export function Term({ name, children }: { name: string; children?: ComponentChildren }) {
  const meaning = FOR_READERS[name] ?? dictionary[name];
  if (meaning === undefined) throw new Error(`the dictionary has no "${name}"`);
  return <Explained meaning={meaning}>{children ?? name}</Explained>;
}
