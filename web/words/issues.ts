/** Sentences for zod's issues, as the card form shows them below its fields. */
import type { z } from "zod";

const sized = (origin: string, size: string): string =>
  origin === "string" ? `${size} characters` : origin === "array" ? `${size} entries` : size;

/** Error of a field as a sentence below it: what to write there. */
export function sayIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      if (issue.origin === "string" && Number(issue.minimum) === 1) return "Write something here.";
      if (issue.origin === "array" && Number(issue.minimum) === 1) return "Name at least one.";
      return `Write at least ${sized(issue.origin, String(issue.minimum))}.`;
    case "too_big":
      return `Write at most ${sized(issue.origin, Number(issue.maximum).toLocaleString("en"))}.`;
    case "invalid_type":
      return issue.expected === "int" || issue.expected === "number"
        ? "Write a whole number."
        : "Write something here.";
    case "invalid_format":
      return issue.path[0] === "languages"
        ? 'Write language codes separated by commas, such as "en, pt-BR".'
        : "Write it in the form that the label asks for.";
    case "invalid_union":
      return "Write account numbers separated by commas, or leave it empty.";
    case "invalid_value":
      return `Write one of: ${issue.values.join(", ")}.`;
    case "custom":
      return `It ${issue.message}.`;
    default:
      return "Write it in the form that the label asks for.";
  }
}
