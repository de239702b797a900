/** The base of `npm start -- --base`: fetched once, then listed first by the devnet's factory. */
import { nativeKernelSets } from "@openledger/models/engine/kernels/native-kernels";
import { ADDED_BASES } from "@openledger/models/tuning/base/base-address";
import { addBase, addedFolder } from "@openledger/models/tuning/recipe/add-base";
import { wordsOfBase, wordsOfPlan } from "@openledger/models/tuning/recipe/base-words";
import type { Console } from "./console.ts";

/** @returns its folder @throws RollupError of `addBase` */
export async function addDevnetBase(position: string, console: Console): Promise<string> {
  console.title("Base of language models");
  const known = await addedFolder(position, ADDED_BASES);
  if (known !== null) {
    console.done(`${position} is in ${known} since an earlier start`);
    return known;
  }
  const startedAtMs = Date.now();
  const added = await addBase(position, ADDED_BASES, {
    kernels: nativeKernelSets().length > 0 ? "native" : "wasm",
    token: process.env.HF_TOKEN || null,
    onPlan: (plan) => console.line(wordsOfPlan(plan)),
    onProgress: ({ done, total }) =>
      console.progress(`${Math.round(done / 1e6)} of ${Math.round(total / 1e6)} MB fetched`),
  });
  const [first, ...rest] = wordsOfBase(added);
  console.done(first!, Date.now() - startedAtMs);
  for (const line of rest) console.line(line);
  return added.folder;
}
