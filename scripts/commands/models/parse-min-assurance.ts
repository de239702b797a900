/** Parser of `models ask --min-assurance`: the minimum assurance of answer, query and rows. */
import {
  ASSURANCES,
  ASSURED_PARTS,
  type Assurance,
  type ReplyAssurance,
} from "@openledger/client/actions/answers/model-answers";
import { commandError } from "../../cli/cli-errors.ts";

/** "recomputed" of all parts, or "answer=recomputed,rows=believed". @throws CMD_USAGE */
export function parseMinAssurance(text: string | undefined): Partial<ReplyAssurance> {
  if (text === undefined) return {};
  if (!text.includes("=")) {
    const level = levelOf(text);
    return { answer: level, query: level, rows: level };
  }
  return Object.fromEntries(
    text.split(",").map((entry) => {
      const [name, level = "", ...rest] = entry.trim().split("=");
      const part = ASSURED_PARTS.find((one) => one === name);
      if (part === undefined || rest.length > 0)
        throw commandError(
          "CMD_USAGE",
          `--min-assurance: "${entry.slice(0, 40)}" is not PART=LEVEL; parts: ${ASSURED_PARTS.join(", ")}`,
        );
      return [part, levelOf(level)];
    }),
  );
}

function levelOf(text: string): Assurance {
  const level = ASSURANCES.find((one) => one === text.trim());
  if (level !== undefined) return level;
  throw commandError(
    "CMD_USAGE",
    `--min-assurance: "${text.slice(0, 40)}" is no level; levels: ${ASSURANCES.join(", ")}`,
  );
}
