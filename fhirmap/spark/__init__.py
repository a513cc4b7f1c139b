"""A project's maps over data frames of Spark: where one machine is too small, on a cluster.

The driver compiles; a worker gets the generated module with the first batch, and reads neither files nor the network.
What comes back is a frame: key, verdict, payload, faults, notes, codes that concept maps lack, origin, digest.

It needs the extra `spark` and Java 17 or later: importing the package raises ConfigError FM797 where pyspark is not
installed.
"""

from fhirmap.errors import ConfigError

try:
    from fhirmap.spark.spark_preview import preview_on_spark
    from fhirmap.spark.spark_project import SparkProject
    from fhirmap.spark.spark_run import output_place, run_on_spark
    from fhirmap.spark.spark_session import spark_session
except ModuleNotFoundError as error:
    raise ConfigError("FM797", library=error.name, extra="spark") from None

__all__ = ["SparkProject", "output_place", "preview_on_spark", "run_on_spark", "spark_session"]
