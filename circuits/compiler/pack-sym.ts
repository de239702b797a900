/**
 * circom's list of symbols as columns. A line is `label,wire,component,name`. A name is split into its numbers,
 * which count up, and the text around them, which many lines share. prebuilt.ts stores them.
 */
import { ColumnReader, ColumnWriter } from "./byte-columns.ts";

/** Packs a file into columns; unpackSym reads them in this order. */
export function packSym(file: Buffer): Uint8Array[] {
  const [frames, frameIds, numbers, wires, components] = Array.from({ length: 5 }, () => new ColumnWriter());
  const known = new Map<string, { id: number; last: number[] }>();
  let nextFrame = 0;
  let nextWire = 1;
  let component = 0;
  const lines = file.toString("latin1").split("\n");
  for (const [index, line] of lines.slice(0, -1).entries()) {
    const [label, wire, position, name] = line.split(",");
    if (Number(label) !== index + 1) throw new Error(`line ${index + 1} has the label ${label}`);
    if (wire === "-1") wires!.unsigned(0);
    else {
      const moved = Number(wire) - nextWire;
      wires!.unsigned(1 + (moved < 0 ? -2 * moved - 1 : 2 * moved));
      nextWire = Number(wire) + 1;
    }
    components!.signed(Number(position) - component);
    component = Number(position);
    const frame = name!.replace(/\d+/g, "#");
    const found = [...name!.matchAll(/\d+/g)].map(([digits]) => Number(digits));
    let entry = known.get(frame);
    if (entry === undefined) {
      entry = { id: known.size, last: found.map(() => 0) };
      known.set(frame, entry);
      frames!.raw(Buffer.from(`${frame}\n`, "latin1"));
    }
    frameIds!.signed(entry.id - nextFrame);
    nextFrame = entry.id;
    for (const [i, number] of found.entries()) numbers!.signed(number - entry.last[i]!);
    entry.last = found;
  }
  return [frames, frameIds, numbers, wires, components].map((column) => column!.take());
}

/** The file, byte for byte. */
export function unpackSym(columns: readonly Uint8Array[]): Buffer {
  const frames = Buffer.from(columns[0]!)
    .toString("latin1")
    .split("\n")
    .slice(0, -1)
    .map((frame) => ({
      parts: frame.split("#"),
      last: new Array<number>(frame.split("#").length - 1).fill(0),
    }));
  const [frameIds, numbers, wires, components] = columns.slice(1).map((bytes) => new ColumnReader(bytes));
  const lines: string[] = [];
  let id = 0;
  let nextWire = 1;
  let component = 0;
  for (let label = 1; !frameIds!.isAtEnd; label++) {
    id += frameIds!.signed();
    const { last, parts } = frames[id]!;
    let name = parts[0]!;
    for (let i = 0; i < last.length; i++) {
      last[i]! += numbers!.signed();
      name += last[i]! + parts[i + 1]!;
    }
    const code = wires!.unsigned();
    let wire = -1;
    if (code > 0) {
      wire = nextWire + (code % 2 === 1 ? (code - 1) / 2 : -code / 2);
      nextWire = wire + 1;
    }
    component += components!.signed();
    lines.push(`${label},${wire},${component},${name}\n`);
  }
  return Buffer.from(lines.join(""), "latin1");
}
