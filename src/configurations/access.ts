/** What a call needs to reach a service. */
export interface Access {
  configId: string
  provider: string
  model: string | null
  apiKey: string
  baseUrl: string
}
