// Ends with 0 while the server in this container answers. `ready` as an argument asks whether it can do its work, too.
const host = ['', '0.0.0.0', '::'].includes(process.env.HOST ?? '') ? '127.0.0.1' : process.env.HOST
const shown = host.includes(':') ? `[${host}]` : host
const place = process.argv[2] === 'ready' ? 'ready' : 'health'

try {
  const answer = await fetch(`http://${shown}:${process.env.PORT || 8000}/${place}`, {
    signal: AbortSignal.timeout(8000),
  })
  console.log(await answer.text())
  process.exitCode = answer.ok ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? `${error.message} ${error.cause ?? ''}` : error)
  process.exitCode = 1
}
