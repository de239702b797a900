/** Shell completion, written from the tree of commands: pressing Tab starts no process. */
import type { Command } from "commander";

interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** What may follow each command, by the words that lead to it. */
type Candidates = ReadonlyMap<string, readonly Candidate[]>;

export const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** The words of every command of the tree: those below it, its own options, and those of the whole program. */
export function candidatesOf(program: Command): Candidates {
  const found = new Map<string, readonly Candidate[]>();
  const visit = (command: Command, path: readonly string[]) => {
    const below = command.commands.map((child) => ({
      word: child.name(),
      description: firstClause(child.description()),
    }));
    const options = [command, ...(command === program ? [] : [program])].flatMap((owner) =>
      owner
        .createHelp()
        .visibleOptions(owner)
        .map((option) => ({
          word: option.long ?? option.short!,
          description: firstClause(option.description),
        })),
    );
    const words = [
      ...new Map([...below, ...options].map((candidate) => [candidate.word, candidate])).values(),
    ];
    found.set(path.join(" "), words);
    for (const child of command.commands) visit(child as Command, [...path, child.name()]);
  };
  visit(program, []);
  return found;
}

const firstClause = (text: string) => text.split(/[:;(]/)[0]!.trim();

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function bashScript(candidates: Candidates): string {
  const cases = [...candidates].map(
    ([path, words]) => `    ${quote(path)}) echo ${quote(words.map(({ word }) => word).join(" "))} ;;`,
  );
  return `_openledger_words() {
  case "$1" in
${cases.join("\n")}
  esac
}
_openledger() {
  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [ -n "$(_openledger_words "\${path:+$path }$word")" ] && path="\${path:+$path }$word"
  done
  COMPREPLY=($(compgen -W "$(_openledger_words "$path")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _openledger openledger
`;
}

function zshScript(candidates: Candidates): string {
  const item = ({ word, description }: Candidate) => quote(`${word}:${description}`);
  const cases = [...candidates].map(
    ([path, words]) => `    ${quote(path)}) candidates=(${words.map(item).join(" ")}) ;;`,
  );
  return `#compdef openledger
_openledger_candidates() {
  candidates=()
  case "$1" in
${cases.join("\n")}
  esac
}
_openledger() {
  local at="" word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    _openledger_candidates "\${at:+$at }$word"
    (( \${#candidates} )) && at="\${at:+$at }$word"
  done
  _openledger_candidates "$at"
  _describe openledger candidates || _files
}
compdef _openledger openledger
`;
}

function fishScript(candidates: Candidates): string {
  const lines = [...candidates].flatMap(([path, words]) =>
    words.map(({ word, description }) => {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c openledger -n ${quote(`test (__openledger_path) = "${path}"`)} ${what} -d ${quote(description)}`;
    }),
  );
  const paths = [...candidates.keys()].filter((path) => path !== "").map(quote);
  return `function __openledger_path
  set -l paths ${paths.join(" ")}
  set -l path ""
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$path $word")
    contains -- "$next" $paths; and set path $next
  end
  echo "$path"
end
${lines.join("\n")}
`;
}
