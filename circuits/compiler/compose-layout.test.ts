import { describe, expect, it } from "vitest";
import { type Composition, layOutComposition, type PartShape } from "./compose-layout.ts";

describe("layOutComposition", () => {
  const part = (ports: string[], own: number, equalities: PartShape["equalities"] = []): PartShape => ({
    ports,
    wireCount: 1 + ports.length + own,
    outputCount: 1,
    equalities,
  });
  const chain: Composition = {
    parts: [{ name: "step", mainSource: "" }],
    copies: [0, 1, 2].map((i) => ({
      part: 0,
      component: `main.step[${i}]`,
      netOf: (port) => `state${port === "out" ? i + 1 : i}`,
    })),
    publicOutputs: ["state3"],
    publicInputs: ["state0"],
    plan: {},
  };

  it("gives shared nets one wire, public ones first, and every copy wires of its own", () => {
    expect(layOutComposition(chain, [part(["out", "in"], 10)])).toEqual({
      wireCount: 1 + 4 + 30,
      publicOutputCount: 1,
      publicInputCount: 1,
      copies: [
        { part: 0, ports: [3, 2], firstWire: 5 },
        { part: 0, ports: [4, 3], firstWire: 15 },
        { part: 0, ports: [1, 4], firstWire: 25 },
      ],
    });
  });

  it("joins the nets of ports that a part's rows say are equal", () => {
    const equal = [{ row: 7, ports: [0, 1] as const }];
    const open: Composition = { ...chain, publicOutputs: [], publicInputs: ["state0"] };
    const { copies, wireCount } = layOutComposition(open, [part(["out", "in"], 10, equal)]);
    expect(copies.map(({ ports }) => ports)).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(wireCount).toBe(1 + 1 + 30);
    expect(() => layOutComposition(chain, [part(["out", "in"], 10, equal)])).toThrow(
      expect.objectContaining({ code: "CIR_COMPOSITION_INVALID" }),
    );
  });

  it("refuses public signals that no copy has, or that are named twice", () => {
    for (const publicInputs of [["state9"], ["state3"]])
      expect(() => layOutComposition({ ...chain, publicInputs }, [part(["out", "in"], 1)])).toThrow(
        expect.objectContaining({ code: "CIR_COMPOSITION_INVALID" }),
      );
  });
});
