/**
 * Finds states of the pages that are written from a value of before an `await`, or emptied behind one: what a person has typed or chosen
 * meanwhile is lost. A setter with an updater function, `setX((now) => ({ ...now, y }))`, merges into the state as it is.
 */
import ts from "typescript";

/** Returns the calls of a source that lose what was typed meanwhile, each as `file:line: call`. */
export function staleWrites(file: string, source: string): string[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && (isStale(node) || isEmptying(node))) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${node.getText().replace(/\s+/g, " ")}`);
    }
    node.forEachChild(visit);
  };
  visit(tree);
  return found;
}

/** True for `setX(…)` and `onX(…)`, also `props.onX(…)`, whose value is made of a state or prop that may have changed since. */
function isStale(call: ts.CallExpression): boolean {
  const name = calledName(call);
  if (name === null || !/^(?:set|on)[A-Z]/.test(name)) return false;
  const task = taskOf(call);
  // A stored value is behind its key.
  const values = name === "setItem" ? call.arguments.slice(1) : call.arguments;
  const merged = values.flatMap((argument) => [
    ...mergedNames(argument),
    ...(task !== null && ts.isIdentifier(argument) ? mergedIn(argument, task) : []),
  ]);
  return merged.some((identifier) => {
    const declared = declarationOf(identifier);
    if (declared === null) return false;
    if (stateOf(declared)?.setter === name) return true;
    if (task === null || isWithin(declared, call)) return false;
    if (isWithin(declared, task)) return isWritten(name, declared, task);
    return stateOf(declared) !== null || isProp(declared);
  });
}

/** Names that go into a task's own variable, which is then written as it is. */
function mergedIn(variable: ts.Identifier, task: ts.Node): ts.Identifier[] {
  const declared = declarationOf(variable);
  return declared?.initializer !== undefined && isWithin(declared, task)
    ? mergedNames(declared.initializer)
    : [];
}

/** True for `setX("")` behind an `await`, while the field of `x` takes what is typed. */
function isEmptying(call: ts.CallExpression): boolean {
  const [value] = call.arguments;
  if (value === undefined || !ts.isStringLiteral(value) || value.text !== "") return false;
  const setter = calledName(call);
  if (setter === null || taskOf(call) === null) return false;
  return openFields(call.getSourceFile()).has(setter);
}

/** Setters of the states that an element shows as its `value` without being disabled at times. */
function openFields(tree: ts.SourceFile): Set<string> {
  const setters = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isJsxOpeningElement(node) || ts.isJsxSelfClosingElement(node)) {
      const attributes = node.attributes.properties.filter((one) => ts.isJsxAttribute(one));
      const names = attributes.map(({ name }) => name.getText());
      const value = attributes[names.indexOf("value")]?.initializer;
      const shown = value !== undefined && ts.isJsxExpression(value) ? value.expression : undefined;
      const declared = shown !== undefined && ts.isIdentifier(shown) ? declarationOf(shown) : null;
      const state = declared === null ? null : stateOf(declared);
      if (state !== null && !names.some((name) => /^(?:isD|d)isabled$/.test(name))) setters.add(state.setter);
    }
    node.forEachChild(visit);
  };
  visit(tree);
  return setters;
}

function calledName({ expression }: ts.CallExpression): string | null {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression) && expression.name.text === "setItem") return "setItem";
  const isProps = ts.isPropertyAccessExpression(expression) && expression.expression.getText() === "props";
  return isProps ? expression.name.text : null;
}

/** Names whose values go into a new object, list or the arguments of a call. What a task takes is not written. */
function mergedNames(value: ts.Node): ts.Identifier[] {
  const names: ts.Identifier[] = [];
  const add = (expression: ts.Expression) => {
    const root = rootOf(expression);
    if (root !== null) names.push(root);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isAwaitExpression(node)) return;
    // It is looked at by itself.
    if (node !== value && ts.isCallExpression(node) && calledName(node) === "setItem") return;
    if (ts.isSpreadAssignment(node) || ts.isSpreadElement(node)) add(node.expression);
    // The value of a statement's call is not written.
    if (ts.isCallExpression(node) && !ts.isExpressionStatement(node.parent)) {
      for (const argument of node.arguments) add(argument);
      // A list is merged by its own methods, too: all.filter(…), all.concat(one).
      if (ts.isPropertyAccessExpression(node.expression)) add(node.expression.expression);
    }
    node.forEachChild(visit);
  };
  visit(value);
  return names;
}

/** Name at the beginning of `looked.mapping` or `next!`. */
function rootOf(expression: ts.Expression): ts.Identifier | null {
  if (ts.isIdentifier(expression)) return expression;
  return ts.isPropertyAccessExpression(expression) || ts.isNonNullExpression(expression)
    ? rootOf(expression.expression)
    : null;
}

/** Work that waits, around a call that is made after it has waited; null if nothing was waited for. */
function taskOf(call: ts.Node): ts.Node | null {
  let isCalledLater = false;
  for (let node = call.parent; node !== undefined; node = node.parent) {
    if (!isFunction(node)) continue;
    if (ts.getCombinedModifierFlags(node as ts.Declaration) & ts.ModifierFlags.Async) {
      const waits = awaitsOf(node);
      return waits.some((at) => isCalledLater || at < call.end) ? node : null;
    }
    if (isThen(node)) return node;
    isCalledLater = true;
  }
  return null;
}

/** True if a task has written its own variable to the state: it is what the state was then. */
function isWritten(setter: string, declared: Declared, task: ts.Node): boolean {
  let isFound = false;
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && calledName(node) === setter)
      isFound ||= node.arguments.some((one) => ts.isIdentifier(one) && declarationOf(one) === declared);
    node.forEachChild(visit);
  };
  visit(task);
  return isFound;
}

/** Ends of what a function waits for, not counting functions inside it. */
function awaitsOf(work: ts.Node): number[] {
  const ends: number[] = [];
  const visit = (node: ts.Node): void => {
    if (isFunction(node)) return;
    if (ts.isAwaitExpression(node)) ends.push(node.end);
    node.forEachChild(visit);
  };
  work.forEachChild(visit);
  return ends;
}

const isFunction = (
  node: ts.Node,
): node is ts.ArrowFunction | ts.FunctionExpression | ts.FunctionDeclaration =>
  ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isFunctionDeclaration(node);

const isThen = ({ parent }: ts.Node): boolean =>
  ts.isCallExpression(parent) &&
  ts.isPropertyAccessExpression(parent.expression) &&
  ["then", "catch", "finally"].includes(parent.expression.name.text);

const isWithin = (node: ts.Node, other: ts.Node) => node.pos >= other.pos && node.end <= other.end;

type Declared = ts.VariableDeclaration | ts.BindingElement | ts.ParameterDeclaration;

/** Declaration that a name means, by the scopes around it; null for a function, an import or a global. */
function declarationOf(identifier: ts.Identifier): Declared | null {
  for (let node: ts.Node = identifier.parent; node !== undefined; node = node.parent) {
    const declared: readonly (ts.VariableDeclaration | ts.ParameterDeclaration)[] = isFunction(node)
      ? node.parameters
      : ts.isBlock(node) || ts.isSourceFile(node)
        ? node.statements.flatMap((one) =>
            ts.isVariableStatement(one) ? [...one.declarationList.declarations] : [],
          )
        : ts.isCatchClause(node) && node.variableDeclaration !== undefined
          ? [node.variableDeclaration]
          : (ts.isForOfStatement(node) || ts.isForStatement(node)) &&
              node.initializer !== undefined &&
              ts.isVariableDeclarationList(node.initializer)
            ? node.initializer.declarations
            : [];
    for (const one of declared) {
      const found = namedIn(one, identifier.text);
      if (found !== null) return found;
    }
  }
  return null;
}

function namedIn(declared: Declared, name: string): Declared | null {
  if (ts.isIdentifier(declared.name)) return declared.name.text === name ? declared : null;
  for (const element of declared.name.elements) {
    const found = ts.isOmittedExpression(element) ? null : namedIn(element, name);
    if (found !== null) return found;
  }
  return null;
}

/** Setter of a state that `const [x, setX] = useState(…)` declares; null for another declaration. */
function stateOf(declared: Declared): { readonly setter: string } | null {
  const pattern = declared.parent;
  if (!ts.isArrayBindingPattern(pattern) || !ts.isVariableDeclaration(pattern.parent)) return null;
  const { initializer } = pattern.parent;
  if (initializer === undefined || !ts.isCallExpression(initializer)) return null;
  if (initializer.expression.getText() !== "useState" || pattern.elements[0] !== declared) return null;
  const setter = pattern.elements[1];
  return { setter: setter === undefined ? "" : setter.getText() };
}

/** True for a prop of a component, or an argument of a hook: also one that is taken out of `props`. */
function isProp(declared: Declared): boolean {
  for (let node: ts.Node = declared; node !== undefined; node = node.parent) {
    if (ts.isVariableDeclaration(node)) return node.initializer?.getText() === "props";
    if (ts.isParameter(node)) {
      const owner = node.parent;
      const named = ts.isFunctionDeclaration(owner)
        ? owner.name?.text
        : ts.isVariableDeclaration(owner.parent)
          ? owner.parent.name.getText()
          : undefined;
      return named !== undefined && /^(?:[A-Z]|use[A-Z])/.test(named);
    }
  }
  return false;
}
