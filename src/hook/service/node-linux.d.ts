// What of node-linux 0.1.12 we use; it has no types of its own.
declare module 'node-linux/lib/systemd.js' {
  type Settings = {
    name: string;
    description: string;
    /** The path of a file in the language of mustache(5). */
    template: string;
    path: string;
    wrappercode: string;
  };
  export default class Systemd {
    constructor(settings: Settings);
    generate(callback: (script: string) => void): void;
  }
}
