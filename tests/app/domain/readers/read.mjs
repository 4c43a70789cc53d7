// Read documents with the YAML readers of Node, and write what each reader found: see readers.py.
import { readFileSync } from "node:fs";
import yaml4 from "js-yaml";
import * as yaml5 from "js-yaml-5";
import YAML from "yaml";

const readers = {
  "js-yaml 4": (text) => yaml4.load(text),
  "js-yaml 5": (text) => yaml5.load(text),
  "js-yaml 5, YAML 1.1": (text) => yaml5.load(text, { schema: yaml5.YAML11_SCHEMA }),
  "npm yaml": (text) => YAML.parse(text),
  "npm yaml, YAML 1.1": (text) => YAML.parse(text, { version: "1.1" }),
};

function tagged(value) {
  if (typeof value === "string") return { text: value };
  if (typeof value === "number") {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setFloat64(0, value);
    return { float: bytes.getBigUint64(0).toString(16).padStart(16, "0") };
  }
  if (value === null || typeof value === "boolean") return { word: value };
  if (Array.isArray(value)) return { list: value.map(tagged) };
  if (Object.getPrototypeOf(value) !== Object.prototype) return { other: String(value) };
  return { object: Object.keys(value).map((name) => [name, tagged(value[name])]) };
}

function read(reader, text) {
  try {
    return tagged(reader(text));
  } catch (error) {
    return { error: String(error) };
  }
}

const texts = JSON.parse(readFileSync(process.argv[2], "utf8"));
const found = Object.entries(readers).map(([name, reader]) => [name, texts.map((text) => read(reader, text))]);
process.stdout.write(JSON.stringify(Object.fromEntries(found)));
