// The grid of chunks: one square each, filled as it is verified.

type State = 'missing' | 'cached' | 'fetched';

const squareLimit = 18; // CSS pixels; smaller where there are many chunks
const rows = 6; // at most so high, as far as squares of 3 pixels allow

export class ChunkGrid {
  private states: State[] = [];
  private drawing = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  clear(): void {
    this.states = [];
    this.draw();
  }

  set(index: number, count: number, state: State): void {
    if (this.states.length !== count) this.states = new Array<State>(count).fill('missing');
    this.states[index] = state;
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    const width = this.canvas.clientWidth;
    if (width === 0) return;
    const count = Math.max(1, this.states.length);
    let step = squareLimit;
    while (step > 3 && Math.ceil(count / Math.floor(width / step)) > rows) --step;
    const columns = Math.floor(width / step);
    const height = Math.ceil(count / columns) * step;
    const scale = devicePixelRatio;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    this.canvas.style.height = `${height}px`;
    const style = getComputedStyle(document.documentElement);
    const colors: Record<State, string> = {
      missing: style.getPropertyValue('--line'),
      cached: style.getPropertyValue('--cached'),
      fetched: style.getPropertyValue('--accent'),
    };
    const context = this.canvas.getContext('2d')!;
    context.scale(scale, scale);
    const side = step - Math.max(1, step / 7);
    this.states.forEach((state, i) => {
      context.fillStyle = colors[state];
      context.beginPath();
      context.roundRect((i % columns) * step, Math.floor(i / columns) * step, side, side, step / 5);
      context.fill();
    });
  }
}
