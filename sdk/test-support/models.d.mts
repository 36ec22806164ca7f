export interface Models {
  folder: string;
  story: string;
  key: string; // PEM of the public key
  remove(): void;
}

export interface Told {
  text: string;
  tokens: number;
  prompt_tokens: number;
  finish_reason: string;
}

export const program: string;
export const fable: string; // a checkpoint
export const chatTemplates: string; // a folder of .jinja files
export function run(...words: string[]): string;
export function makeModels(): Models;
export function told(model: string, prompt: string, tokens: number, ...flags: string[]): Told;
export function embedded(model: string, texts: readonly string[], ...flags: string[]): number[][];
export function minilm(): string;
