/**
 * A batch of any shape out of three parts: one narrow place, one wide place, and the shape's frame. The nets are the
 * connections of LedgerBatch (batch.circom), line by line; composed-batch.all.test.ts holds the two equal.
 */
import type { Composition, PartCopy, PartSpec } from "../compiler/compose-layout.ts";
import { templatePath } from "../compiler/template-files.ts";
import { APPROVAL_DELAY_SECONDS, type BatchShape, TREE_DEPTH } from "../protocol.ts";

/** Header fields, which every part that has a port of the name shares. */
const HEADER = ["domain", "timestamp", "batchNumber", "feePerUnit", "idFee"];

/** The root before slot `index`; the frame's fee leaf comes after the last. The first of each net is the batch's input. */
const rootNet = (index: number) => (index === 0 ? "oldRoot" : `root[${index}]`);
const nextIdNet = (index: number) => (index === 0 ? "oldNextId" : `nextId[${index}]`);

/** "words[3]" of wide slot 5 is the frame's "wideWords[5][3]". */
const slotNet = (section: string, index: number, port: string) => {
  const [name = "", ...indices] = port.split("[");
  return [`${section}${name[0]?.toUpperCase()}${name.slice(1)}`, `${index}]`, ...indices].join("[");
};

function parts({ narrow, wide }: BatchShape, depth: number): PartSpec[] {
  const main = (file: string, ports: readonly string[], template: string) =>
    `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main {public [${ports.join(", ")}]} = ${template};\n`;
  const slots = (names: readonly string[], section: string) =>
    names.map((name) => `${section}${name[0]!.toUpperCase()}${name.slice(1)}`);
  const framePorts = [
    ...["z", "domain", "oldRoot", "batchNumber", "timestamp", "oldNextId", "feePerUnit", "idFee"],
    // circom has no public signals without elements.
    ...(narrow === 0 ? [] : slots(["payload", "core", "isUsed", "hasPayload", "feeWei"], "narrow")),
    ...slots(["words", "core", "hasWord", "isUsed", "isSigned", "feeWei"], "wide"),
    ...["lastRoot", "lastNextId"],
  ];
  const narrowPart = {
    name: `narrow-place-${depth}`,
    mainSource: main("slot-places", ["oldRoot", "domain", "feePerUnit", "payload"], `NarrowPlace(${depth})`),
  };
  return [
    ...(narrow === 0 ? [] : [narrowPart]),
    {
      name: `wide-place-${depth}`,
      mainSource: main(
        "slot-places",
        ["oldRoot", "nextId", ...HEADER, "words"],
        `WidePlace(${depth}, ${APPROVAL_DELAY_SECONDS})`,
      ),
    },
    {
      name: `batch-frame-${narrow}-${wide}-depth-${depth}`,
      mainSource: main("batch-frame", framePorts, `BatchFrame(${depth}, ${narrow}, ${wide})`),
    },
  ];
}

/** The plan of a shape that `batchCircuitSpec` allows. Smaller trees (`depth`) are for tests. */
export function batchComposition(shape: BatchShape, depth: number = TREE_DEPTH): Composition {
  const { narrow, wide } = shape;
  const partSpecs = parts(shape, depth);
  const partOf = { narrow: 0, wide: partSpecs.length - 2, frame: partSpecs.length - 1 };
  const slot = (section: "narrow" | "wide", index: number): PartCopy => {
    const place = section === "narrow" ? index : narrow + index;
    const nets: Record<string, string> = {
      oldRoot: rootNet(place),
      newRoot: rootNet(place + 1),
      nextId: nextIdNet(index),
      newNextId: nextIdNet(index + 1),
      ...Object.fromEntries(HEADER.map((name) => [name, name])),
    };
    return {
      part: partOf[section],
      component: `main.${section[0]}[${index}]`,
      netOf: (port) => nets[port] ?? slotNet(section, index, port),
    };
  };
  const frameNets: Record<string, string> = {
    oldRoot: rootNet(0),
    lastRoot: rootNet(narrow + wide),
    oldNextId: nextIdNet(0),
    lastNextId: nextIdNet(wide),
  };
  return {
    parts: partSpecs,
    copies: [
      ...Array.from({ length: narrow }, (_, i) => slot("narrow", i)),
      ...Array.from({ length: wide }, (_, i) => slot("wide", i)),
      { part: partOf.frame, component: "main.frame", netOf: (port) => frameNets[port] ?? port },
    ],
    publicOutputs: ["commitment", "y"],
    publicInputs: ["z"],
    plan: { sort: "batch", narrow, wide, depth },
  };
}
