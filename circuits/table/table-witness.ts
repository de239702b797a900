/**
 * Witness of a composed batch circuit, calculated part by part on threads: the longest step before a batch's
 * proof. prover/proving/witness-source.ts runs it.
 */
import {
  foreseeStates,
  frameInputs,
  type SlotState,
  slotInputs,
  toBigInt,
  withoutEmpty,
} from "../batch/composed-inputs.ts";
import { SlotChain } from "../batch/slot-chain.ts";
import { circuitError } from "../circuit-errors.ts";
import type { ComposedDescription } from "../compiler/composed-copies.ts";
import {
  ComposedCopies,
  type CopyProgress,
  type RunBlock,
  type RunPart,
} from "../compiler/composed-copies.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { challengesAt } from "./table-terms.ts";

/** Sections of a composed batch in the order of their copies (table-composition.ts); tree, blob and frame come last. */
const SECTIONS = ["transfer", "member", "row", "unit", "wide"] as const;
type Section = (typeof SECTIONS)[number];

interface WitnessReport {
  /** Wide slots that were calculated twice, because the slot before left another state than was foreseen. */
  readonly repeatedSlots: number;
}

interface Range {
  readonly firstCopy: number;
  readonly count: number;
}

/**
 * The witness of a composed batch (docs/explanation/leaf-table.md). Slots, rows and units touch no tree and do not
 * wait for each other: all they share are the challenges, which follow from z. Wide slots follow each other on the
 * root after the table; the frame and the blob's evaluation come last.
 */
export class TableWitness {
  readonly #copies: ComposedCopies;
  readonly #ranges: Readonly<Record<Section, Range>>;
  readonly #chain: SlotChain;
  readonly #total: number;
  readonly #hasBlob: boolean;

  /**
   * @param foresee a state for every wide slot; a wrong one costs time, nothing else
   * @throws RollupError CIR_COMPOSITION_INVALID if the description is of no batch
   */
  constructor(
    description: ComposedDescription,
    run: RunPart,
    runBlock?: RunBlock,
    foresee: typeof foreseeStates = foreseeStates,
  ) {
    this.#copies = new ComposedCopies(description, run, runBlock);
    this.#total = description.copies.length;
    this.#hasBlob = hasBlob(description);
    this.#ranges = rangesOf(description);
    const { firstCopy, count } = this.#ranges.wide;
    this.#chain = new SlotChain(this.#copies, firstCopy, count, foresee);
  }

  /**
   * Calculates the witness.
   * @param values of all wires, 32 little-endian bytes each, to be filled; memory that `run` may share with threads
   * @param onProgress told of copies that are calculated
   * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH
   */
  async calculate(
    inputs: CircuitInputs,
    values: Uint8Array,
    onProgress: CopyProgress = () => {},
  ): Promise<WitnessReport> {
    const [treeCopy, frameCopy] = [this.#total - (this.#hasBlob ? 3 : 2), this.#total - 1];
    let done = 0;
    const tick = (count = 1) => {
      done += count;
      onProgress(done, this.#total);
    };
    const run = async (copy: number, own: CircuitInputs) =>
      (await this.#copies.calculateAll(copy, [withoutEmpty(own)], values, () => tick()))[0]!;
    const { gamma, power } = challengesAt(toBigInt(inputs.z));
    // The tree is the longest part but the frame, so it begins first.
    const tree = run(
      treeCopy,
      picked(inputs, (name) => TREE_INPUTS.includes(name) || name === "z" || name === "oldRoot"),
    );
    const start = tree.then(
      (ports): SlotState => ({
        root: this.#copies.element(treeCopy, ports, "midRoot"),
        nextId: toBigInt(inputs.oldNextId),
      }),
    );
    const calculateAll = (section: Section) => {
      const { firstCopy, count } = this.#ranges[section];
      const ports = count === 0 ? new Set<string>() : this.#copies.inputPorts(firstCopy);
      const inputsOf = (i: number): CircuitInputs => ({
        ...slotInputs(inputs, section, i, count, ports),
        // Values that the tree gives all parts; it puts out the same, or its own rows fail.
        gamma,
        power,
        ...(section === "member" ? { timePoint: (BigInt(i + 1) * power[2]!) % FIELD_ORDER } : {}),
      });
      return this.#copies.calculateAll(
        firstCopy,
        Array.from({ length: count }, (_, i) => inputsOf(i)),
        values,
        tick,
      );
    };
    const [treePorts, wide, ...sections] = await Promise.all([
      tree,
      this.#chain.calculate(inputs, start, values, () => tick()),
      ...SECTIONS.filter((section) => section !== "wide").map(calculateAll),
    ]);
    const calculated = [...sections, wide.slots];
    const collect = (copy: number, input: CircuitInputs) => {
      for (const [k, section] of SECTIONS.entries())
        this.#copies.collect(copy, input, section, calculated[k]!, this.#ranges[section].firstCopy);
    };
    const input = frameInputs(
      picked(inputs, (name) => !TREE_INPUTS.includes(name) && !(name in BLOB_INPUTS)),
      this.#copies.inputPorts(frameCopy),
      SECTIONS,
    );
    collect(frameCopy, input);
    for (const [port, name] of Object.entries({
      treeSum: "sum",
      treeTouched: "touchedWords",
      midRoot: "midRoot",
    }))
      input[port] = this.#copies.port(treeCopy, treePorts, name);
    input.gamma = gamma;
    input.power = power;
    input.lastRoot = wide.last.root;
    input.lastNextId = wide.last.nextId;
    const ends = [run(frameCopy, input)];
    if (this.#hasBlob) {
      const blobCopy = frameCopy - 1;
      const ofBlob: CircuitInputs = {};
      for (const [name, own] of Object.entries({ ...BLOB_INPUTS, z: "z", memberPayload: "memberPayload" }))
        ofBlob[own] = inputs[name]!;
      collect(blobCopy, ofBlob);
      ends.unshift(run(blobCopy, ofBlob));
    }
    this.#copies.place([...calculated.flat(), treePorts, ...(await Promise.all(ends))], values);
    return { repeatedSlots: wide.repeatedSlots };
  }
}

/** The tree's own inputs; it shares z and oldRoot with the frame. */
const TREE_INPUTS = ["old", "now", "touched", "spineChildren"];
/** The blob's own inputs, and their names in its part; it shares z with the frame. */
const BLOB_INPUTS: Readonly<Record<string, string>> = {
  blobHalves: "halves",
  blobQuotient: "quotient",
  blobRemainder: "remainder",
};
const hasBlob = ({ plan }: ComposedDescription): boolean => plan.blobs === 1;
const picked = (inputs: CircuitInputs, isExpected: (name: string) => boolean): CircuitInputs =>
  Object.fromEntries(Object.entries(inputs).filter(([name]) => isExpected(name)));

function rangesOf(description: ComposedDescription): Record<Section, Range> {
  const { plan, copies } = description;
  const counts = [plan.transfers, plan.members, plan.rows, plan.units, plan.wide];
  if (plan.sort !== "table" || !counts.every((count) => typeof count === "number"))
    throw circuitError("CIR_COMPOSITION_INVALID", "the description is not of a batch", {
      data: { ...plan },
    });
  let firstCopy = 0;
  const ranges = SECTIONS.map((section, k) => {
    const range = { firstCopy, count: Number(counts[k]) };
    firstCopy += range.count;
    return [section, range];
  });
  const expected = firstCopy + (hasBlob(description) ? 3 : 2);
  if (copies.length !== expected)
    throw circuitError("CIR_COMPOSITION_INVALID", "a batch has another number of copies", {
      data: { copies: copies.length, expected },
    });
  return Object.fromEntries(ranges) as Record<Section, Range>;
}
