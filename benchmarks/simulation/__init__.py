"""The API and the service around it in simulated time, by the API's own rules and constants."""
