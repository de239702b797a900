/**
 * Composes the circuit of a batch of any size from few parts that are compiled once: one transfer slot, one member slot, one
 * row, one unit, one wide place, the tree's top, with a blob its evaluation, and the frame. The nets are the connections of
 * TableBatch (table-batch.circom), line by line; table-composition.all.test.ts holds the two equal. circuit-registry.ts
 * compiles by it.
 */
import type { Composition, PartCopy, PartSpec } from "../compiler/compose-layout.ts";
import { templatePath } from "../compiler/template-files.ts";
import { APPROVAL_DELAY_SECONDS, TREE_DEPTH } from "../protocol.ts";
import { requireTableShape, type TableShape, tableName } from "./table-shape.ts";

const capital = (name: string) => `${name[0]!.toUpperCase()}${name.slice(1)}`;
const TREE_PORTS = ["gamma", "power", "midRoot", "treeSum", "treeTouched"];

/** Signals that slots, rows and units pass to the frame, by the frame's names. */
const FRAME_SIGNALS = {
  transfer: ["core", "challenge", "feeWei", "used", "sum"],
  member: ["payload", "core", "challenge", "feeWei", "used", "newChain", "packed", "sum"],
  row: ["sub", "oldSub", "newSub", "first", "packed", "sum"],
  unit: ["id", "isUsed", "packed", "ref", "rest", "newRest", "sum"],
  wide: ["words", "core", "hasWord", "isUsed", "isSigned", "feeWei"],
} as const;
type Section = keyof typeof FRAME_SIGNALS;
/** Signals among these that the blob's evaluation takes instead of the frame. */
const IN_BLOB = ["transferCore", "memberCore", "memberPayload"];
const HALVES = ["blobHalves[0]", "blobHalves[1]"];

const main = (name: string, file: string, ports: readonly string[], template: string): PartSpec => ({
  name,
  mainSource: `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main {public [${ports.join(", ")}]} = ${template};\n`,
});

/** The part of a wide slot in a tree of this depth. */
const widePosition = (depth: number): PartSpec =>
  main(
    `wide-place-${depth}`,
    "slot-places",
    ["oldRoot", "nextId", "domain", "timestamp", "batchNumber", "feePerUnit", "idFee", "words"],
    `WidePlace(${depth}, ${APPROVAL_DELAY_SECONDS})`,
  );

function parts(shape: TableShape, depth: number): Record<Section | "tree" | "blob" | "frame", PartSpec> {
  const { transfers, members, wide, rows, units, low, top, isBlob = false } = shape;
  const shared = ["domain", "feePerUnit", "gamma", "power"];
  const sections = (Object.keys(FRAME_SIGNALS) as Section[]).filter(
    (section) => section !== "wide" || wide > 0,
  );
  const framePorts = [
    "z",
    "domain",
    "oldRoot",
    "batchNumber",
    "timestamp",
    "oldNextId",
    "feePerUnit",
    "idFee",
    ...TREE_PORTS,
    ...sections
      .flatMap((section) => FRAME_SIGNALS[section].map((name) => section + capital(name)))
      .filter((port) => !isBlob || !IN_BLOB.includes(port)),
    "lastRoot",
    "lastNextId",
  ];
  const sizes = [depth, transfers, members, wide, rows, units, low, top, Number(isBlob)].join(", ");
  const window = low + top;
  const spine = depth - window;
  return {
    transfer: main(
      `transfer-slot-${window}`,
      "transfer-slot",
      [...shared, "used"],
      `TransferSlot(${window})`,
    ),
    member: main(
      `member-slot-${window}`,
      "member-slot",
      [...shared, "timePoint", "payload", "used"],
      `MemberSlot(${window})`,
    ),
    row: main(
      `leaf-row-${low}-${window}`,
      "leaf-row",
      ["gamma", "power", "first"],
      `LeafRow(${low}, ${window})`,
    ),
    unit: main("member-unit", "member-unit", ["gamma", "power", "isUsed", "ref"], "MemberUnit()"),
    tree: main(
      `table-tree-${members}-${top}-${spine}`,
      "table-tree",
      ["z", "oldRoot"],
      `TableTree(${members}, ${top}, ${spine})`,
    ),
    blob: main(
      `blob-evaluation-${transfers}-${members}`,
      "blob-evaluation",
      ["z", ...IN_BLOB, "halves"],
      `BlobEvaluation(${transfers}, ${members})`,
    ),
    wide: widePosition(depth),
    frame: main(
      `${tableName(shape)}-frame-depth-${depth}`,
      "table-frame",
      framePorts,
      `TableFrame(${sizes})`,
    ),
  };
}

/**
 * The plan of a shape that `requireTableShape` allows. Smaller trees (`depth`) are for tests.
 * @throws CIR_COMPOSITION_INVALID
 */
export function tableComposition(shape: TableShape, depth: number = TREE_DEPTH): Composition {
  requireTableShape(shape, depth);
  const { isBlob = false, ...sizes } = shape;
  const { wide } = sizes;
  const specs = parts(shape, depth);
  const isLeftOut = (name: keyof typeof specs) =>
    (name === "wide" && wide === 0) || (name === "blob" && !isBlob);
  const names = (Object.keys(specs) as (keyof typeof specs)[]).filter((name) => !isLeftOut(name));
  const partOf = (name: keyof typeof specs) => names.indexOf(name);
  const rootNet = (index: number) => (index === 0 ? "midRoot" : `wideRoot[${index}]`);
  const nextIdNet = (index: number) => (index === 0 ? "oldNextId" : `nextId[${index}]`);
  const copiesOf = (section: Section, count: number): PartCopy[] =>
    Array.from({ length: count }, (_, i) => {
      const own = new Set<string>(FRAME_SIGNALS[section]);
      const nets: Record<string, string> =
        section === "wide"
          ? {
              oldRoot: rootNet(i),
              newRoot: rootNet(i + 1),
              nextId: nextIdNet(i),
              newNextId: nextIdNet(i + 1),
            }
          : { timePoint: `timePoint[${i}]` };
      return {
        part: partOf(section),
        component: `main.${section[0]}[${i}]`,
        netOf: (port) => {
          const [name = "", ...indices] = port.split("[");
          if (own.has(name)) return [`${section}${capital(name)}`, `${i}]`, ...indices].join("[");
          return nets[port] ?? port;
        },
      };
    });
  const treeNets: Record<string, string> = { sum: "treeSum" };
  const frameNets: Record<string, string> = { lastRoot: rootNet(wide), lastNextId: nextIdNet(wide) };
  return {
    parts: names.map((name) => specs[name]),
    copies: [
      ...copiesOf("transfer", shape.transfers),
      ...copiesOf("member", shape.members),
      ...copiesOf("row", shape.rows),
      ...copiesOf("unit", shape.units),
      ...copiesOf("wide", wide),
      {
        part: partOf("tree"),
        component: "main.tree",
        netOf: (port) => treeNets[port] ?? port.replace("touchedWords", "treeTouched"),
      },
      ...(isBlob
        ? [
            {
              part: partOf("blob"),
              component: "main.blob[0]",
              netOf: (port: string) => port.replace(/^halves/, "blobHalves"),
            },
          ]
        : []),
      { part: partOf("frame"), component: "main.frame", netOf: (port) => frameNets[port] ?? port },
    ],
    hasSteps: true,
    publicOutputs: ["commitment", "y"],
    publicInputs: ["z", ...(isBlob ? HALVES : [])],
    plan: { sort: "table", ...sizes, ...(isBlob ? { blobs: 1 } : {}), depth },
  };
}
