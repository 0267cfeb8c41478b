"""The same answers on many machines: folders of shards, Parquet tables of pictures, answered by a Ray cluster.

shards      folders of them, here or in an object store, and files that are there whole or not at all
pack        makes shards of loose files, archives and tables
job         what is left of a folder, dealt out to a cluster
reader      what a core of the cluster does: a shard in, a shard of answers out
"""
