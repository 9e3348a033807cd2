/** What /openapi.json says of a call, as far as a form needs it. */

/**
 * @typedef {{name: string, place: "path"|"query"|"header", isRequired: boolean, values: string[], hint: string}} Parameter
 * `values` are all that it can have; empty if they are not finite.
 * @typedef {{example: string|null, mediaType: string}} Body `example` is null for a file.
 * @typedef {{id: string, method: string, path: string, parameters: Parameter[], body: Body|null}} Call
 */

const JSON_TYPE = "application/json";
const OCTETS = "application/octet-stream";
let loading = null;

/** The description, loaded once. */
export function loadDescription() {
  loading ??= fetch("/openapi.json").then((answer) => answer.json());
  loading.catch(() => (loading = null));
  return loading;
}

/**
 * @param {object} description
 * @param {string} method
 * @param {string} path With its arguments in braces.
 * @returns {Call}
 */
export function findCall(description, method, path) {
  const operation = description.paths[path][method.toLowerCase()];
  return {
    id: operation.operationId,
    method,
    path,
    parameters: operation.parameters.map((one) => parameterOf(description, one)),
    body: bodyOf(operation.requestBody?.content),
  };
}

function parameterOf(description, parameter) {
  return {
    name: parameter.name,
    place: parameter.in,
    isRequired: parameter.required === true,
    values: valuesOf(description, parameter.schema) ?? [],
    hint: parameter.description ?? parameter.schema.description ?? "",
  };
}

/** All values that a schema allows; null if they are not finite. */
function valuesOf(description, schema) {
  if (schema.$ref) return valuesOf(description, description.components.schemas[schema.$ref.split("/").pop()]);
  if (schema.anyOf) {
    const found = schema.anyOf.filter((one) => one.type !== "null").map((one) => valuesOf(description, one));
    return found.includes(null) ? null : found.flat();
  }
  if (schema.type === "boolean") return ["true", "false"];
  if (schema.const !== undefined) return [String(schema.const)];
  return schema.enum?.map(String) ?? null;
}

function bodyOf(content) {
  if (!content) return null;
  if (content[JSON_TYPE]) return { example: JSON.stringify(content[JSON_TYPE].example, null, 2), mediaType: JSON_TYPE };
  return { example: null, mediaType: OCTETS in content ? OCTETS : Object.keys(content)[0] };
}
