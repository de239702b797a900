/**
 * Process of `npm run fuzz` that has the sanitizers loaded: tries each kind of hostile input in turn, and prints one line of
 * JSON for each.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { fuzzArguments } from "./fuzz-arguments.ts";
import { fuzzKernels, type KernelAddon } from "./fuzz-kernels.ts";
import { FuzzRandom } from "./fuzz-random.ts";
import { fuzzSteps, type StepsAddon } from "./fuzz-steps.ts";

const load = createRequire(import.meta.url);
const addon = <Addon>(path: string) => load(join(repositoryRoot, path)) as Addon;
const steps = addon<StepsAddon>("prover/native/steps/build/sanitized/row-steps.node");
const kernels = addon<KernelAddon>("models/engine/kernels/native/build/sanitized/model-kernels.node");
const [seed, factor] = process.argv.slice(2).map(Number) as [number, number];
const random = new FuzzRandom(seed);
const tell = (what: string, counts: object) => console.log(JSON.stringify({ what, ...counts }));

tell("wrong arguments", fuzzArguments(steps, kernels));
tell("witness steps", fuzzSteps(steps, random, Math.ceil(12_000 * factor)));
tell("kernels of models", fuzzKernels(kernels, random, Math.ceil(20_000 * factor)));
