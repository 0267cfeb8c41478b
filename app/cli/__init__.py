"""Many pictures at once from the command line, `python -m app.cli`: read by this machine's cores or asked of a server.

plan        what there is to read, written down before the first picture is: names, sorted, never all in memory
journal     the answers so far, a line for each picture, in the plan's order: where it ends, work goes on
local       answers from processes of this machine, `worker`, one a core
remote      answers from a server
outputs     the finished journal as a table, JSON lines, CSV or Parquet
"""
