/** Sentences for zod's issues, as the card form shows them below its fields. */
import type { z } from "zod";

const sized = (origin: string, size: string): string =>
  origin === "string" ? `${size} characters` : origin === "array" ? `${size} entries` : size;

/** Error of a field as a sentence below it: what to write there. */
export function sayIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      if (issue.origin === "string" && Number(issue.minimum) === 1) return "Enter a value.";
      if (issue.origin === "array" && Number(issue.minimum) === 1) return "Enter at least one.";
      return `Enter at least ${sized(issue.origin, String(issue.minimum))}.`;
    case "too_big":
      return `Enter at most ${sized(issue.origin, Number(issue.maximum).toLocaleString("en"))}.`;
    case "invalid_type":
      return issue.expected === "int" || issue.expected === "number"
        ? "Enter a whole number."
        : "Enter a value.";
    case "invalid_format":
      return issue.path[0] === "languages"
        ? 'Enter language codes separated by commas, such as "en, pt-BR".'
        : "Use the format in the label.";
    case "invalid_union":
      return "Enter account numbers separated by commas, or leave it empty.";
    case "invalid_value":
      // What is chosen from a list has words of its own there; a field's type is typed.
      return issue.path[0] === "row" && issue.path[1] === "fields"
        ? `Use one of these types: ${issue.values.join(", ")}.`
        : "Choose one from the list.";
    case "custom":
      return `It ${issue.message}.`;
    default:
      return "Use the format in the label.";
  }
}
