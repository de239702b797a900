/** Tests of the search for secrets in rows, and of a contribution's preview. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { findSecrets } from "./find-secrets.ts";
import { previewRows } from "./preview.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("findSecrets", () => {
  const kinds = (text: string) => findSecrets(text).map(({ from, kind, to }) => [kind, text.slice(from, to)]);

  it("finds published examples at their places", () => {
    expect(
      kinds("pay 4111 1111 1111 1111 to GB82 WEST 1234 5698 7654 32, or DE89370400440532013000"),
    ).toEqual([
      ["card", "4111 1111 1111 1111"],
      ["iban", "GB82 WEST 1234 5698 7654 32"],
      ["iban", "DE89370400440532013000"],
    ]);
    expect(kinds("AKIAIOSFODNN7EXAMPLE; password = hunter2hunter2; -----BEGIN RSA PRIVATE KEY-----")).toEqual(
      [
        ["api-key", "AKIAIOSFODNN7EXAMPLE"],
        ["password", "password = hunter2hunter2"],
        ["private-key", "-----BEGIN RSA PRIVATE KEY-----"],
      ],
    );
    expect(kinds("write to jane.doe+x@mail.example.org or call +44 20 7946 0958.")).toEqual([
      ["email", "jane.doe+x@mail.example.org"],
      ["phone", "+44 20 7946 0958"],
    ]);
  });

  it("leaves numbers alone whose sums are wrong, hashes and prices", () => {
    expect(
      kinds(
        "4111 1111 1111 1112, GB82 WEST 1234 5698 7654 33, 0x5FbDB2315678afecb367f032d93F642f64180aa3, 12.50 EUR",
      ),
    ).toEqual([]);
  });

  it("is done soon with a row made against it", () => {
    const before = process.cpuUsage();
    for (const piece of ["a@", "1 ", "+1(", "password:", "eyJaaaaaaaaaa.", "AA11 "])
      findSecrets(piece.repeat(13_000));
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
  });
});

describe("a preview", () => {
  it("names each row that will not count, cannot be hosted or says too much", async () => {
    const card = sampleCard({ row: { kind: "text", fields: [], maxBytes: 80 } });
    const rows = [
      "The sun warms the village on the hill all day long, and nobody works.",
      "The sun warms the village on the hill all day long, and nobody works.",
      "The sun warms the village on the hill all day long and nobody works!!",
      "   ",
      "It rains and rains and then it ...",
      "x".repeat(81),
      "Ask jane@example.org about fog",
      "It was hail.",
    ].map(bytes);
    const known = new Set([bytesToHex(sha256(rows[7]!))]);
    const findings = await previewRows(card, rows, known);
    expect(findings.map(({ detail, kind, row }) => [row, kind, detail])).toEqual([
      [1, "duplicate", "it is row 1 again"],
      [2, "near-duplicate", "it is nearly row 1 (1.000)"],
      [3, "empty", "it has no text"],
      [4, "truncated", "its text seems to be cut off"],
      [5, "too-large", "81 bytes, the card allows 80"],
      [6, "email", "jane@e…rg"],
      [7, "duplicate", "it was committed before"],
    ]);
  });

  it("compares all fields of a table, and nothing where none is a text", async () => {
    const numbers = { ...sampleCard().row, kind: "table" as const };
    const similarOf = async (type: "category" | "text", rows: readonly string[]) => {
      const card = sampleCard({
        row: {
          ...numbers,
          fields: [
            { name: "age", type: "number", description: "" },
            { name: "note", type, description: "" },
          ],
        },
      });
      const findings = await previewRows(card, rows.map(bytes));
      return findings.map(({ kind, row }) => [row, kind]);
    };
    const long = "the customer called about the bill of last month and was very friendly";
    const rows = [`{"age":46,"note":"${long}"}`, `{"age":46,"note":"${long}!"}`];
    expect(await similarOf("text", rows)).toEqual([[1, "near-duplicate"]]);
    expect(await similarOf("category", rows)).toEqual([]);
    const few = ['{"age":46,"note":"Oslo"}', '{"age":31,"note":"Oslo"}', '{"age":null,"note":null}'];
    expect(await similarOf("text", few)).toEqual([[2, "empty"]]);
  });
});
