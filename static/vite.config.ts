import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const { VITE_API_ORIGIN: api = 'http://127.0.0.1:8081', HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env

export default defineConfig({
  plugins: [react()],
  clearScreen: false,
  server: {
    host,
    port: Number(port),
    strictPort: true,
    proxy: Object.fromEntries(['/api', '/healthz', '/readyz', '/metrics'].map((path) => [path, { target: api }])),
  },
  build: {
    target: ['chrome123', 'edge123', 'firefox128', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  test: { include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true },
})
