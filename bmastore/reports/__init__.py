"""What reads: queries, status, explanations, forecasts with stored models, tables as text."""
