/**
 * Composer of large circuits: copies of compiled parts joined at their ports into one R1CS file and one
 * description for the witness (docs/explanation/composition.md). compile.ts calls it for a circuit with a
 * composition.
 */
import { createHash, randomBytes } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockOf, publishBuild, removeAbandonedBuilds } from "@openledger/foundation/build-cache";
import { whileLocked } from "@openledger/foundation/file-lock";
import {
  type Composition,
  type CompositionLayout,
  compositionError,
  layOutComposition,
  type PartShape,
  type PartSpec,
  portNames,
} from "./compose-layout.ts";
import { findEqualities, writeComposedR1cs } from "./compose-r1cs.ts";
import { COMPOSITION_FILE, type ComposedDescription } from "./composed-copies.ts";
import { readR1cs } from "./r1cs-reader.ts";
import { deriveSteps, STEPS_FORM } from "./row-steps.ts";

/** The composer's input and output: fields of CompiledCircuit (compile.ts). */
interface ComposedBuild {
  name: string;
  contentHash: string;
  r1csPath: string;
  /** The description for composed-copies.ts, where a compiled circuit has circom's calculator. */
  wasmPath: string;
  symPath: string;
  constraintCounts: { nonLinear: number; linear: number };
  wireCount: number;
  publicCount: number;
}

interface ComposeOptions {
  readonly cacheDir: string;
  readonly compilePart: (spec: PartSpec & { keepSym: true }) => Promise<ComposedBuild>;
  readonly onProgress?: ((line: string) => void) | undefined;
}

/**
 * Version of the composer. Increment it if a change of the layout or of the file's form makes other bytes
 * from the same parts.
 */
const COMPOSER_VERSION = 1;

/**
 * Builds a circuit of any size out of its parts, or takes it from the cache. Memory: one copy of a part at a time.
 *
 * The content hash is that of the parts and of the layout: anyone who has the same sources and compiler gets the same
 * file, byte for byte. Takes about a second for every half a million constraints, once the parts are compiled.
 *
 * @throws RollupError CIR_COMPOSITION_INVALID, CIR_R1CS_MALFORMED, and what compiling a part throws
 */
export async function composeCircuit(
  spec: { name: string; composition: Composition },
  { cacheDir, compilePart, onProgress }: ComposeOptions,
): Promise<ComposedBuild> {
  const { name, composition } = spec;
  const parts: ComposedBuild[] = [];
  for (const part of composition.parts) parts.push(await compilePart({ ...part, keepSym: true }));
  const shapes = await Promise.all(parts.map(partShape));
  const layout = layOutComposition(composition, shapes);
  const contentHash = hashComposition(composition, layout, parts);
  const entryDir = join(cacheDir, `${name}-${contentHash.slice(0, 24)}`);
  const cached = await readEntry(entryDir, contentHash);
  if (cached !== null) return cached;

  await removeAbandonedBuilds(cacheDir);
  const onWaiting = () => onProgress?.(`waiting for ${name}: another process builds it`);
  return whileLocked(lockOf(entryDir), onWaiting, async () => {
    const builtMeanwhile = await readEntry(entryDir, contentHash);
    if (builtMeanwhile !== null) return builtMeanwhile;
    await composeInto({
      cacheDir,
      entryDir,
      contentHash,
      name,
      composition,
      layout,
      parts,
      shapes,
      onProgress,
    });
    const built = await readEntry(entryDir, contentHash);
    if (built === null) throw compositionError(`the cache entry of ${name} vanished while it was written`);
    return built;
  });
}

interface Composing {
  readonly cacheDir: string;
  readonly entryDir: string;
  readonly contentHash: string;
  readonly name: string;
  readonly composition: Composition;
  readonly layout: CompositionLayout;
  readonly parts: readonly ComposedBuild[];
  readonly shapes: readonly PartShape[];
  readonly onProgress: ((line: string) => void) | undefined;
}

async function composeInto({
  cacheDir,
  composition,
  contentHash,
  entryDir,
  layout,
  name,
  onProgress,
  parts,
  shapes,
}: Composing): Promise<void> {
  const buildDir = join(cacheDir, `.build-${process.pid}-${randomBytes(6).toString("hex")}`);
  await mkdir(buildDir, { recursive: true });
  try {
    const files = shapes.map(({ equalities }, i) => ({ equalities, r1csPath: parts[i]!.r1csPath }));
    let reported = 0;
    writeComposedR1cs(join(buildDir, "circuit.r1cs"), layout, files, (done, total) => {
      const percent = Math.floor((100 * done) / total);
      if (percent < reported + 10 && done < total) return;
      reported = percent;
      onProgress?.(`${name}: ${percent} % of ${total} parts put together`);
    });
    for (const [i, part] of parts.entries()) await copyFile(part.wasmPath, join(buildDir, partFile(i)));
    const steps = await Promise.all(
      parts.map((part, i) =>
        composition.hasSteps === true ? writeSteps(part, buildDir, stepsFile(i)) : null,
      ),
    );
    const description: ComposedDescription = {
      plan: composition.plan,
      wireCount: layout.wireCount,
      publicCount: layout.publicOutputCount + layout.publicInputCount,
      parts: shapes.map(({ equalities: _, ...shape }, i) => ({
        ...shape,
        wasmFile: partFile(i),
        ...(steps[i] === null ? {} : { steps: steps[i]! }),
      })),
      copies: layout.copies,
    };
    const write = (file: string, value: object) =>
      writeFile(join(buildDir, file), `${JSON.stringify(value)}\n`);
    await write(COMPOSITION_FILE, description);
    await write("meta.json", {
      name,
      contentHash,
      constraintCounts: {
        nonLinear: sumOver(layout, (part) => parts[part]!.constraintCounts.nonLinear),
        linear: sumOver(
          layout,
          (part) => parts[part]!.constraintCounts.linear - shapes[part]!.equalities.length,
        ),
      },
      wireCount: layout.wireCount,
      publicCount: description.publicCount,
    });
    await publishBuild(buildDir, entryDir, async () => (await readEntry(entryDir, contentHash)) !== null);
  } finally {
    await rm(buildDir, { recursive: true, force: true });
  }
}

/** Reads the interface of a compiled part. @throws RollupError CIR_COMPOSITION_INVALID */
export async function partShape(
  part: Pick<ComposedBuild, "symPath" | "r1csPath" | "publicCount" | "wireCount">,
): Promise<PartShape> {
  const ports = portNames(await readFile(part.symPath, "utf8"), part.publicCount);
  const { publicOutputCount } = readR1cs(part.r1csPath);
  const equalities = findEqualities(part.r1csPath, ports.length);
  return { ports, wireCount: part.wireCount, outputCount: publicOutputCount, equalities };
}

const partFile = (index: number) => `part-${index}.wasm`;
const stepsFile = (index: number) => `part-${index}.steps`;

/** Steps of parts, by the part's content: compositions share parts, and to derive the steps takes up to a second. */
const programs = new Map<string, ReturnType<typeof deriveSteps>>();

async function stepsOf({ contentHash, r1csPath, symPath }: ComposedBuild) {
  const known = programs.get(contentHash);
  if (known !== undefined) return known;
  const program = deriveSteps(r1csPath, await readFile(symPath, "utf8"));
  programs.set(contentHash, program);
  return program;
}

async function writeSteps(part: ComposedBuild, folder: string, file: string) {
  const program = await stepsOf(part);
  if (program === null) return null;
  await writeFile(join(folder, file), program.bytes);
  return { file, inputs: [...program.inputs] };
}

const sumOver = (layout: CompositionLayout, count: (part: number) => number) =>
  layout.copies.reduce((sum, copy) => sum + count(copy.part), 0);

/** Lengths first, as in compile.ts. */
function hashComposition(
  composition: Composition,
  layout: CompositionLayout,
  parts: readonly ComposedBuild[],
): string {
  const hash = createHash("sha256");
  const absorb = (text: string) => hash.update(`${Buffer.byteLength(text)}:`).update(text);
  absorb(`openledger composition ${COMPOSER_VERSION}`);
  for (const part of parts) absorb(part.contentHash);
  absorb(JSON.stringify(composition.plan));
  absorb(JSON.stringify(layout));
  // Entries with steps are other entries, and so are those with steps of another form.
  if (composition.hasSteps === true) absorb(STEPS_FORM);
  return hash.digest("hex");
}

async function readEntry(entryDir: string, contentHash: string): Promise<ComposedBuild | null> {
  let text: string;
  try {
    text = await readFile(join(entryDir, "meta.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const meta = JSON.parse(text) as Omit<ComposedBuild, "r1csPath" | "wasmPath" | "symPath">;
  if (meta.contentHash !== contentHash) return null;
  return {
    ...meta,
    r1csPath: join(entryDir, "circuit.r1cs"),
    wasmPath: join(entryDir, COMPOSITION_FILE),
    symPath: join(entryDir, "circuit.sym"),
  };
}
